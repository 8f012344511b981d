// SPDX-License-Identifier: MIT
#include "trust/program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

#include "runtime/os/fd.hpp"
#include "runtime/os/process.hpp"
#include "runtime/run/host_program.hpp"

namespace rootlet::trust {
namespace {

constexpr std::size_t kMostWords = 1 << 20;

void limit_files(std::uint64_t largest) {
  if (largest == 0) return;
  const struct rlimit limit { largest, largest };
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

// In the child. Returns only on failure.
int become(const Program& program, int in, int out, int err, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) return 127;  // it was gone before it could be watched
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  std::vector<int> kept = program.shared;
  for (const int fd : kept) ::fcntl(fd, F_SETFD, 0);
  kept.insert(kept.end(), {0, 1, 2});
  os::close_all_but(kept);
  if (!program.directory.empty() && ::chdir(program.directory.c_str()) != 0) return 127;
  limit_files(program.largest);
  ::signal(SIGPIPE, SIG_DFL);
  ::setenv("LC_ALL", "C.UTF-8", 1);
  std::vector<char*> argv = {const_cast<char*>(program.path.c_str())};
  for (const std::string& word : program.arguments) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execv(program.path.c_str(), argv.data());
  return 127;
}

int wait(pid_t child, const Program& program, bool& was_stuck) {
  constexpr struct timespec kBreath { 0, 100'000'000 };
  while (program.is_stuck) {
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child) return status;
    if (program.is_stuck(child)) {
      was_stuck = true;
      ::kill(child, SIGKILL);
      break;
    }
    ::nanosleep(&kBreath, nullptr);
  }
  return os::wait_for(child);
}

Result<std::string> what_it_said(int fd) {
  if (::lseek(fd, 0, SEEK_SET) < 0) return std::string();  // not a file: shown already
  return os::read_file(AT_FDCWD, os::fd_path(fd), kMostWords);
}

}  // namespace

Result<int> memory_file(const std::string& bytes) {
  os::Fd file(::memfd_create("rootlet", MFD_CLOEXEC));
  if (!file.valid()) return last_error("make a file in memory");
  TRY(os::write_all(file.get(), bytes, "write to memory"));
  if (::lseek(file.get(), 0, SEEK_SET) < 0) return last_error("make a file in memory");
  return file.release();
}

Result<ProgramEnd> run_program(const Program& program) {
  const os::Fd in(TRY(memory_file(program.input)));
  const os::Fd out(program.shows_progress ? ::fcntl(2, F_DUPFD_CLOEXEC, 3) : TRY(memory_file("")));
  const os::Fd err(program.shows_progress ? ::fcntl(2, F_DUPFD_CLOEXEC, 3) : TRY(memory_file("")));
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return last_error("run", program.path);
  if (child == 0) ::_exit(become(program, in.get(), out.get(), err.get(), parent));
  ProgramEnd end;
  const int status = wait(child, program, end.was_stuck);
  end.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  if (program.shows_progress) return end;
  end.out = TRY(what_it_said(out.get()));
  end.err = TRY(what_it_said(err.get()));
  return end;
}

Result<std::string> find_program(const std::string& name, const std::string& package) {
  const std::string host = find_host_program(name);
  if (!host.empty()) return host;
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::string candidate = std::string(rest.substr(0, end)) + "/" + name;
    if (candidate[0] == '/' && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return plain_error("run", name, "it is not installed", "apt-get install " + package);
}

}  // namespace rootlet::trust
