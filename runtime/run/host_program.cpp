// SPDX-License-Identifier: MIT
#include "runtime/run/host_program.hpp"

#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>

#include "runtime/os/process.hpp"

namespace rootlet {
namespace {

constexpr std::size_t kMostWords = 400;

}  // namespace

std::string find_host_program(std::string_view name) {
  for (const char* directory : {"/usr/bin/", "/bin/"}) {
    const std::string path = directory + std::string(name);
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    if (status.st_uid == 0 && (status.st_mode & 022) == 0 && (status.st_mode & 0111) != 0) {
      return path;
    }
  }
  return {};
}

void become_host_program(const std::string& path, const std::vector<std::string>& arguments,
                         const ProgramStreams& streams, std::vector<int> kept) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int fd : kept) ::fcntl(fd, F_SETFD, 0);
  ::dup2(streams.in >= 0 ? streams.in : null, 0);
  ::dup2(streams.out >= 0 ? streams.out : null, 1);
  ::dup2(streams.words, 2);
  kept.insert(kept.end(), {0, 1, 2});
  os::close_all_but(kept);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  std::vector<char*> argv = {const_cast<char*>(path.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  char locale[] = "LC_ALL=C";
  char* env[] = {locale, nullptr};
  ::execve(path.c_str(), argv.data(), env);
  ::_exit(127);
}

Result<HostProgramEnd> run_host_program(const std::string& path,
                                        const std::vector<std::string>& arguments) {
  auto [read_end, write_end] = TRY(os::make_pipe("run"));
  auto child = TRY(os::fork_with(0, "run " + path));
  if (child.pid == 0) become_host_program(path, arguments, {-1, -1, write_end.get()}, {});
  write_end.reset();
  HostProgramEnd end;
  char buffer[256];
  for (ssize_t got; (got = ::read(read_end.get(), buffer, sizeof buffer)) > 0;) {
    end.words.append(buffer, static_cast<std::size_t>(got));
    if (end.words.size() > kMostWords) end.words.resize(kMostWords);
  }
  while (!end.words.empty() && end.words.back() == '\n') end.words.pop_back();
  end.status = os::wait_for(child.pid);
  return end;
}

}  // namespace rootlet
