// SPDX-License-Identifier: MIT
#include "runtime/os/process.hpp"

#include <dirent.h>
#include <linux/sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>

namespace rootlet::os {
namespace {

bool close_range_between(unsigned first, unsigned last) {
  if (first > last) return true;
  return ::syscall(SYS_close_range, first, last, 0) == 0;
}

void close_one_by_one(const std::vector<int>& kept) {
  const auto is_kept = [&](int fd) {
    return std::find(kept.begin(), kept.end(), fd) != kept.end();
  };
  if (DIR* listing = ::opendir("/proc/self/fd")) {
    std::vector<int> open;
    while (const dirent* entry = ::readdir(listing)) {
      if (entry->d_name[0] != '.') open.push_back(std::atoi(entry->d_name));
    }
    ::closedir(listing);
    for (const int fd : open) {
      if (!is_kept(fd)) ::close(fd);
    }
    return;
  }
  // Not the soft limit: a descriptor above it survives a lowered limit.
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const int end = static_cast<int>(std::min<rlim_t>(limit.rlim_max, 1u << 20));
  for (int fd = 0; fd < end; ++fd) {
    if (!is_kept(fd)) ::close(fd);
  }
}

}  // namespace

Result<Child> fork_with(unsigned long namespaces, std::string_view action) {
  int pidfd = -1;
  const unsigned long flags = namespaces | CLONE_PIDFD | SIGCHLD;
  // The raw call: glibc's clone() wants a stack of its own, and containers'
  // filters know clone(2) but often not clone3(2). Argument order agrees on
  // x86-64 and arm64 as far as it is used here.
  const long pid = ::syscall(SYS_clone, flags, nullptr, &pidfd, nullptr, nullptr);
  if (pid < 0) return last_error(action);
  if (pid == 0) return Child{0, Fd()};
  if (pidfd < 0) {
    // Ignored by the kernel, which is then too old for a run of ours.
    ::kill(static_cast<pid_t>(pid), SIGKILL);
    wait_for(static_cast<pid_t>(pid));
    return plain_error(action, "CLONE_PIDFD", "this kernel is older than Linux 5.2");
  }
  return Child{static_cast<pid_t>(pid), Fd(pidfd)};
}

void close_all_but(std::initializer_list<int> kept) { close_all_but(std::vector<int>(kept)); }

void close_all_but(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned next = 0;
  for (const int fd : kept) {
    if (fd < 0) continue;
    if (fd > 0 && !close_range_between(next, static_cast<unsigned>(fd) - 1)) {
      return close_one_by_one(kept);
    }
    next = static_cast<unsigned>(fd) + 1;
  }
  if (!close_range_between(next, ~0u)) close_one_by_one(kept);
}

std::vector<int> hold_standard_streams() {
  std::vector<int> closed;
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // The lowest free number is this one.
    if (::open("/dev/null", O_RDWR) == fd) closed.push_back(fd);
  }
  return closed;
}

int wait_for(pid_t pid) {
  int status = -1;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return status;
}

void end_as(int wait_status) {
  if (!WIFSIGNALED(wait_status)) ::_exit(WEXITSTATUS(wait_status));
  const int signal = WTERMSIG(wait_status);
  // The tool's core, if it left one, is the one that matters.
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::signal(signal, SIG_DFL);
  sigset_t only;
  ::sigemptyset(&only);
  ::sigaddset(&only, signal);
  ::sigprocmask(SIG_UNBLOCK, &only, nullptr);
  ::kill(::getpid(), signal);
  ::_exit(128 + signal);
}

}  // namespace rootlet::os
