// SPDX-License-Identifier: MIT
#include "runtime/image/confine.hpp"

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <span>
#include <vector>

#include "runtime/os/capabilities.hpp"
#include "runtime/os/process.hpp"
#include "runtime/os/traces.hpp"

namespace rootlet::image {
namespace {

constexpr std::string_view kConfine = "confine the image server";

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#else
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

#if defined(SYS_poll)
constexpr long kPoll = SYS_poll;
#else
constexpr long kPoll = SYS_ppoll;
#endif

constexpr long kOfReaders[] = {SYS_read,
                               SYS_writev,
                               SYS_pread64,  // questions, answers, the image
                               SYS_fstat,
                               SYS_newfstatat,  // has the image changed?
                               SYS_brk,
                               SYS_munmap,
                               SYS_mremap,
                               SYS_madvise,
                               SYS_futex,  // memory, and waiting for other threads
                               SYS_sched_getaffinity,
                               SYS_set_robust_list,
                               SYS_rseq,
                               SYS_rt_sigprocmask,
                               SYS_exit,  // threads
                               SYS_rt_sigaction,
                               SYS_setitimer,  // has nobody asked for a while?
                               kPoll,          // does a question wait?
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

constexpr long kOfKeepers[] = {
    SYS_ppoll,         SYS_accept4,    SYS_getsockopt,   SYS_pidfd_open,     SYS_openat,
    SYS_read,  // who is it?
    SYS_open_tree,
    SYS_sendmsg,  // its mount
    SYS_recvfrom,
    SYS_sendto,  // the reader's last words
    SYS_flock,         SYS_newfstatat,
    SYS_unlinkat,  // its socket
    SYS_clock_gettime, SYS_brk,        SYS_mremap,       SYS_munmap,         SYS_madvise,
    SYS_futex,  // memory
    SYS_close,         SYS_exit_group, SYS_rt_sigreturn, SYS_restart_syscall};

// A thread, as glibc's pthread_create() makes it, and nothing else that clone(2)
// can do. clone3(2) hides its flags behind a pointer: it is "not there", and
// glibc takes clone then.
constexpr std::uint32_t kThread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                                  CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |
                                  CLONE_CHILD_CLEARTID;
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

enum class Threads {
  none,
  allowed
};

Status allow_only(std::span<const long> calls, Threads threads) {
#if !defined(__SANITIZE_ADDRESS__)  // whose own calls are not foreseen here
  std::vector<sock_filter> code = {
      load(offsetof(seccomp_data, arch)), jump(BPF_JEQ, kArchitecture, 1, 0),
      statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS), load(offsetof(seccomp_data, nr))};
  for (const long number : calls) {
    code.push_back(jump(BPF_JEQ, static_cast<std::uint32_t>(number), 0, 1));
    code.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  for (const long number : kWithProtection) {
    code.push_back(jump(BPF_JEQ, static_cast<std::uint32_t>(number), 0, 3));
    code.push_back(load(offsetof(seccomp_data, args) + 2 * sizeof(std::uint64_t)));
    code.push_back(jump(BPF_JSET, PROT_EXEC, 1, 0));
    code.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  if (threads == Threads::allowed) {
    code.push_back(jump(BPF_JEQ, SYS_clone3, 0, 1));
    code.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS));
    code.push_back(jump(BPF_JEQ, SYS_clone, 0, 3));
    code.push_back(load(offsetof(seccomp_data, args)));
    code.push_back(jump(BPF_JEQ, kThread, 0, 1));
    code.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  code.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  const sock_fprog filter{static_cast<unsigned short>(code.size()), code.data()};
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) != 0) {
    return last_error(kConfine, "system calls");
  }
#else
  (void)calls;
  (void)threads;
#endif
  return Done{};
}

// Of Linux 6.12's landlock.h; Debian 12's headers end at ABI 2.
struct RulesetAttributes {
  std::uint64_t files = 0, network = 0, scoped = 0;
};

// Which rights each version of Landlock knows (landlock(7), Documentation/
// userspace-api/landlock.rst): all of them are taken away.
RulesetAttributes all_rights(long version) {
  RulesetAttributes all;
  const int files = version >= 5 ? 16 : version >= 3 ? 15 : version == 2 ? 14 : 13;
  all.files = (1u << files) - 1;
  all.network = version >= 4 ? 3 : 0;
  all.scoped = version >= 6 ? 3 : 0;
  return all;
}

struct Right {
  std::uint64_t access;
  int below;
};

// A Landlock domain with no right but these. Where the kernel has none the
// filter on system calls stands alone: a reader can name no file with it.
Status leave_files(std::initializer_list<Right> rights) {
  const long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return Done{};
  const RulesetAttributes all = all_rights(version);
  const os::Fd ruleset(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0)));
  if (!ruleset.valid()) return last_error(kConfine, "Landlock");
  for (const Right& right : rights) {
    const landlock_path_beneath_attr rule{right.access, right.below};
    if (::syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) !=
        0) {
      return last_error(kConfine, "Landlock");
    }
  }
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) {
    return last_error(kConfine, "Landlock");
  }
  return Done{};
}

void lower(int resource, rlim_t most) {
  rlimit limit{};
  ::getrlimit(static_cast<__rlimit_resource_t>(resource), &limit);
  limit.rlim_max = std::min(limit.rlim_max, most);
  limit.rlim_cur = std::min(limit.rlim_cur, most);
  ::setrlimit(static_cast<__rlimit_resource_t>(resource), &limit);
}

// An image that makes the decoder ask for ever more is refused by the kernel.
constexpr rlim_t kMemoryOfReaders = rlim_t{1} << 30;
constexpr rlim_t kMemoryOfKeepers = rlim_t{64} << 20;

}  // namespace

void let_go(const char* name, std::initializer_list<int> kept) {
  ::setsid();
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  ::prctl(PR_SET_DUMPABLE, 0);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  lower(RLIMIT_CORE, 0);
  if (::chdir("/") != 0) ::_exit(1);
  os::wipe_traces(name);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd <= 2; ++fd) {
    if (null >= 0 && null != fd) ::dup2(null, fd);
  }
  std::vector<int> all_kept(kept);
  all_kept.insert(all_kept.end(), {0, 1, 2});
  os::close_all_but(all_kept);
}

Status confine_reader() {
  lower(RLIMIT_AS, kMemoryOfReaders);
  TRY(os::keep_capabilities(0));
  TRY(leave_files({}));
  return allow_only(kOfReaders, Threads::allowed);
}

Status confine_keeper(int proc, int rendezvous) {
  lower(RLIMIT_AS, kMemoryOfKeepers);
  TRY(os::keep_capabilities(std::uint64_t{1} << CAP_SYS_ADMIN));
  TRY(leave_files(
      {{LANDLOCK_ACCESS_FS_READ_FILE, proc}, {LANDLOCK_ACCESS_FS_REMOVE_FILE, rendezvous}}));
  return allow_only(kOfKeepers, Threads::none);
}

}  // namespace rootlet::image
