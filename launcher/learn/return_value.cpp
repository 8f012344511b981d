// SPDX-License-Identifier: MIT
#include "launcher/learn/return_value.hpp"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <cerrno>

namespace rootlet::learn {
namespace {

std::optional<long> result_of(pid_t tid) {
  user_regs_struct registers{};
  iovec where{&registers, sizeof registers};
  if (::ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &where) != 0) return {};
#ifdef __x86_64__
  return static_cast<long>(registers.rax);
#else
  return static_cast<long>(registers.regs[0]);
#endif
}

}  // namespace

// PTRACE_SEIZE stops nothing and changes nothing that the tool can see; the stop that
// PTRACE_INTERRUPT asks for comes when the call is over (ptrace(2), Linux 3.4).
ReturnValue::ReturnValue(pid_t tid) {
  if (::ptrace(PTRACE_SEIZE, tid, 0, 0) != 0) return;
  tid_ = tid;
  ::ptrace(PTRACE_INTERRUPT, tid, 0, 0);
}

std::optional<long> ReturnValue::wait() && {
  if (tid_ < 0) return {};
  int status = 0;
  pid_t stopped;
  do {
    stopped = ::waitpid(tid_, &status, __WALL);
  } while (stopped < 0 && errno == EINTR);
  if (stopped != tid_ || !WIFSTOPPED(status)) return {};  // killed meanwhile
  const auto value = result_of(tid_);
  // A signal that came first is the tool's, and goes on to it.
  const bool ours = status >> 16 == PTRACE_EVENT_STOP;
  ::ptrace(PTRACE_DETACH, tid_, 0, ours ? 0 : WSTOPSIG(status));
  return value;
}

}  // namespace rootlet::learn
