// SPDX-License-Identifier: MIT
#include "runtime/os/allow_list.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <vector>

namespace rootlet::os {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#else
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

// A thread, as glibc's pthread_create() makes it, and nothing else that clone(2)
// can do. clone3(2) hides its flags behind a pointer: it is "not there", and
// glibc takes clone then.
constexpr std::uint32_t kThread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                                  CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |
                                  CLONE_CHILD_CLEARTID;
// Memory, but none that can be executed.
constexpr GuardedCall kMemory[] = {{SYS_mmap, 2, PROT_EXEC}, {SYS_mprotect, 2, PROT_EXEC}};

sock_filter statement(int code, std::uint32_t k) {
  return {static_cast<std::uint16_t>(code), 0, 0, k};
}
// Skips `yes` or `no` instructions.
sock_filter jump(int code, std::uint32_t k, int yes, int no) {
  return {static_cast<std::uint16_t>(BPF_JMP | code | BPF_K), static_cast<std::uint8_t>(yes),
          static_cast<std::uint8_t>(no), k};
}
sock_filter load(std::size_t offset) {
  return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
// The lower half of an argument, on machines that store it first.
sock_filter load_argument(int number) {
  return load(offsetof(seccomp_data, args) +
              static_cast<std::size_t>(number) * sizeof(std::uint64_t));
}

void add_guarded(std::vector<sock_filter>& code, std::span<const GuardedCall> calls) {
  for (const GuardedCall& call : calls) {
    const auto number = static_cast<std::uint32_t>(call.number);
    const sock_filter refuse = statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | call.error);
    if (call.argument < 0) {
      code.insert(code.end(), {jump(BPF_JEQ, number, 0, 1), refuse});
      continue;
    }
    code.push_back(jump(BPF_JEQ, number, 0, call.error != 0 ? 4 : 3));
    code.push_back(load_argument(call.argument));
    code.push_back(jump(BPF_JSET, call.forbidden, 1, 0));
    code.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    if (call.error != 0) {
      code.push_back(refuse);
      continue;
    }
    // Not this call, or not so: the number again, for those that follow.
    code.push_back(load(offsetof(seccomp_data, nr)));
  }
}

}  // namespace

Status allow_only(std::span<const long> calls, std::span<const GuardedCall> guarded,
                  Threads threads) {
#if !defined(__SANITIZE_ADDRESS__)  // whose own calls are not foreseen here
  std::vector<sock_filter> code = {
      load(offsetof(seccomp_data, arch)), jump(BPF_JEQ, kArchitecture, 1, 0),
      statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS), load(offsetof(seccomp_data, nr))};
  for (const long number : calls) {
    code.push_back(jump(BPF_JEQ, static_cast<std::uint32_t>(number), 0, 1));
    code.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  add_guarded(code, kMemory);
  add_guarded(code, guarded);
  if (threads == Threads::allowed) {
    code.push_back(jump(BPF_JEQ, SYS_clone3, 0, 1));
    code.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS));
    code.push_back(jump(BPF_JEQ, SYS_clone, 0, 3));
    code.push_back(load_argument(0));
    code.push_back(jump(BPF_JEQ, kThread, 0, 1));
    code.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  code.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  const sock_fprog filter{static_cast<unsigned short>(code.size()), code.data()};
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) != 0) {
    return last_error("confine a process", "system calls");
  }
#else
  (void)calls;
  (void)guarded;
  (void)threads;
#endif
  return Done{};
}

}  // namespace rootlet::os
