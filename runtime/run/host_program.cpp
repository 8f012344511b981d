// SPDX-License-Identifier: MIT
#include "runtime/run/host_program.hpp"

#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>

#include "runtime/os/process.hpp"

namespace rootlet {
namespace {

constexpr std::size_t kMostWords = 400;

[[noreturn]] void become_program(const std::string& path, const std::vector<std::string>& arguments,
                                 int words) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(null, 0);
  ::dup2(null, 1);
  ::dup2(words, 2);
  os::close_all_but({0, 1, 2});
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

Result<HostProgramEnd> run_host_program(const std::string& path,
                                        const std::vector<std::string>& arguments) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return last_error("run", path);
  const os::Fd read_end(ends[0]);
  os::Fd write_end(ends[1]);
  auto child = TRY(os::fork_with(0, "run " + path));
  if (child.pid == 0) become_program(path, arguments, write_end.get());
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
