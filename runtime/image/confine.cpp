// SPDX-License-Identifier: MIT
#include "runtime/image/confine.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cstddef>
#include <iterator>
#include <vector>

namespace rootlet::image {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#else
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

constexpr long kAllowed[] = {SYS_read,
                             SYS_writev,
                             SYS_pread64,  // questions, answers, the image
                             SYS_fstat,
                             SYS_newfstatat,  // has the image changed?
                             SYS_brk,
                             SYS_munmap,
                             SYS_mremap,
                             SYS_madvise,
                             SYS_futex,  // memory
                             SYS_recvmsg,
                             SYS_dup3,  // the one descriptor still to come
                             SYS_sendto,
                             SYS_recvfrom,  // last words, and the wait after them
                             SYS_sched_setaffinity,
                             SYS_close,
                             SYS_write,
                             SYS_exit_group,
                             SYS_rt_sigreturn,
                             SYS_restart_syscall};
// Memory, but none that can be executed.
constexpr long kWithProtection[] = {SYS_mmap, SYS_mprotect};

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

}  // namespace

Status confine_server() {
#if !defined(__SANITIZE_ADDRESS__)  // whose own calls are not foreseen here
  std::vector<sock_filter> code = {
      load(offsetof(seccomp_data, arch)), jump(BPF_JEQ, kArchitecture, 1, 0),
      statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS), load(offsetof(seccomp_data, nr))};
  for (const long number : kAllowed) {
    code.push_back(jump(BPF_JEQ, static_cast<std::uint32_t>(number), 0, 1));
    code.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  for (const long number : kWithProtection) {
    code.push_back(jump(BPF_JEQ, static_cast<std::uint32_t>(number), 0, 3));
    code.push_back(load(offsetof(seccomp_data, args) + 2 * sizeof(std::uint64_t)));
    code.push_back(jump(BPF_JSET, PROT_EXEC, 1, 0));
    code.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  code.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  const sock_fprog filter{static_cast<unsigned short>(code.size()), code.data()};
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) != 0) {
    return last_error("confine the image server");
  }
#endif
  return Done{};
}

}  // namespace rootlet::image
