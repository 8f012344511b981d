// SPDX-License-Identifier: MIT
#include "runtime/image/confine.hpp"

#include <linux/capability.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <csignal>
#include <vector>

#include "runtime/os/allow_list.hpp"
#include "runtime/os/capabilities.hpp"
#include "runtime/os/landlock.hpp"
#include "runtime/os/process.hpp"
#include "runtime/os/resource_limit.hpp"
#include "runtime/os/traces.hpp"

namespace rootlet::image {
namespace {

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
  os::lower_limit(RLIMIT_CORE, 0);
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
  os::lower_limit(RLIMIT_AS, kMemoryOfReaders);
  TRY(os::keep_capabilities(0));
  TRY(os::leave_files({}));
  return os::allow_only(kOfReaders, {}, os::Threads::allowed);
}

Status confine_keeper(int proc, int rendezvous, int outside) {
  os::lower_limit(RLIMIT_AS, kMemoryOfKeepers);
  TRY(os::keep_capabilities(std::uint64_t{1} << CAP_SYS_ADMIN));
  TRY(os::leave_files({{LANDLOCK_ACCESS_FS_READ_FILE, proc},
                       {LANDLOCK_ACCESS_FS_REMOVE_FILE, rendezvous},
                       {LANDLOCK_ACCESS_FS_REMOVE_DIR, outside}}));
  return os::allow_only(kOfKeepers, {}, os::Threads::none);
}

}  // namespace rootlet::image
