// SPDX-License-Identifier: MIT
#include "runtime/os/parent.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace rootlet::os {
namespace {

// The process that reads what we write goes with its descriptors before its
// children get another parent. Who closes both on purpose wants no run either.
bool nobody_listens() {
  pollfd ends[2] = {{STDOUT_FILENO, 0, 0}, {STDERR_FILENO, 0, 0}};
  ::poll(ends, 2, 0);
  return (ends[0].revents & ends[1].revents & POLLERR) != 0;
}

}  // namespace

Parent& Parent::of_this_process() {
  static Parent parent;
  return parent;
}

Status Parent::watch(pid_t expected) {
  const pid_t parent = ::getppid();
  // 0: it is in another PID namespace, as after docker exec.
  if (parent == 0 || (expected != 0 && parent != expected)) return end_error();
  ended_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, parent, 0)));
  if (!ended_.valid()) return last_error("watch the parent process", std::to_string(parent));
  // Ended before the look, it has left us to another.
  if (::getppid() != parent || (expected == 0 && nobody_listens())) return end_error();
  number_ = parent;
  return Done{};
}

bool Parent::has_ended() const {
  pollfd end{ended_.get(), POLLIN, 0};
  constexpr timespec kNow{};
  return ::ppoll(&end, 1, &kNow, nullptr) > 0;  // a keeper may call no poll(2)
}

bool Parent::owns(const std::string& directory) const {
  return number_ != 0 && directory.compare(directory.rfind('/') + 1, 8, "rootlet-") == 0;
}

Error Parent::end_error() {
  return plain_error("watch the parent process", "", "it has ended, and the run with it");
}

}  // namespace rootlet::os
