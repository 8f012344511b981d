// SPDX-License-Identifier: MIT
#include "examiner/confine.hpp"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <csignal>
#include <vector>

#include "examiner/archive.hpp"
#include "runtime/os/allow_list.hpp"
#include "runtime/os/capabilities.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/os/landlock.hpp"
#include "runtime/os/resource_limit.hpp"

namespace rootlet::examiner {
namespace {

constexpr rlim_t kMemory = rlim_t{1} << 30;
constexpr rlim_t kDescriptors = 64;
// Reading out a whole image may take long; the launcher watches that it goes on.
constexpr rlim_t kSecondsOfFiles = 3600, kSecondsOfLibraries = 10, kSecondsOfDrawing = 5;

constexpr long kAlways[] = {SYS_read,
                            SYS_pread64,
                            SYS_lseek,
                            SYS_fstat,
                            SYS_newfstatat,  // the file
                            SYS_write,       // what is found
                            SYS_brk,
                            SYS_munmap,
                            SYS_mremap,
                            SYS_madvise,
                            SYS_futex,
                            SYS_rt_sigprocmask,
                            SYS_rt_sigaction,
                            SYS_rt_sigreturn,
                            SYS_restart_syscall,
                            SYS_clock_gettime,
                            SYS_getrandom,
                            SYS_gettid,
                            SYS_getpid,
                            SYS_sched_getaffinity,
                            SYS_sched_yield,
                            SYS_set_robust_list,
                            SYS_rseq,
                            SYS_sigaltstack,
                            SYS_fcntl,
                            SYS_fadvise64,
                            SYS_uname,
                            SYS_close,
                            SYS_exit,
                            SYS_exit_group};

// By name, for reading. With `libraries` Landlock leaves one file to be opened,
// with `drawing` the fonts.
constexpr long kOfNames[] = {SYS_readlink,   SYS_readlinkat, SYS_access,  SYS_faccessat,
                             SYS_getdents64, SYS_statfs,     SYS_fstatfs, SYS_getcwd};
constexpr std::uint32_t kWrites =
    O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);
// Threads give themselves names; no prctl(2) below PR_SET_NAME opens anything.
constexpr os::GuardedCall kName = {SYS_prctl, 0, ~static_cast<std::uint32_t>(PR_SET_NAME)};
constexpr os::GuardedCall kOpen[] = {{SYS_openat, 2, kWrites}, kName};
// fontconfig writes an index where it finds none that is newer than the fonts, and
// does without where it may not.
constexpr os::GuardedCall kDraw[] = {
    {SYS_openat, 2, kWrites, EACCES}, kName,
#if defined(SYS_mkdir)
    {SYS_mkdir, -1, 0, EACCES},       {SYS_unlink, -1, 0, EACCES},
    {SYS_chmod, -1, 0, EACCES},
#endif
    {SYS_mkdirat, -1, 0, EACCES},     {SYS_unlinkat, -1, 0, EACCES},
    {SYS_fchmodat, -1, 0, EACCES}};

constexpr const char* kFonts[] = {
    "/usr/share/fonts",     "/usr/local/share/fonts", "/usr/share/fontconfig",    "/etc/fonts",
    "/usr/share/X11/fonts", "/var/cache/fontconfig",  "/usr/share/xml/fontconfig"};

rlim_t seconds_of(Job job) {
  switch (job) {
    case Job::files: return kSecondsOfFiles;
    case Job::libraries: return kSecondsOfLibraries;
    case Job::drawing: break;
  }
  return kSecondsOfDrawing;
}

void limit(Job job) {
#if !defined(__SANITIZE_ADDRESS__)  // its shadow memory alone takes terabytes of addresses
  os::lower_limit(RLIMIT_AS, kMemory);
#endif
  os::lower_limit(RLIMIT_CORE, 0);
  os::lower_limit(RLIMIT_FSIZE, 0);
  os::lower_limit(RLIMIT_NOFILE, kDescriptors);
  // SIGXCPU tells why; at the harder limit it would be SIGKILL.
  os::lower_limit(RLIMIT_CPU, seconds_of(job) + 1);
  const rlimit seconds{seconds_of(job), seconds_of(job) + 1};
  ::setrlimit(RLIMIT_CPU, &seconds);
}

Status leave_one_file() { return os::leave_files({{LANDLOCK_ACCESS_FS_READ_FILE, kFile}}); }

Status leave_fonts() {
  std::vector<os::Fd> open;
  std::vector<os::FileRight> rights;
  for (const char* path : kFonts) {
    os::Fd fd(::open(path, O_PATH | O_CLOEXEC));
    if (!fd.valid()) continue;
    rights.push_back({LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR, fd.get()});
    open.push_back(std::move(fd));
  }
  return os::leave_files(rights);
}

}  // namespace

Status confine(Job job) {
  ::prctl(PR_SET_DUMPABLE, 0);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return last_error("confine the examiner");
  limit(job);
  TRY(os::keep_capabilities(0));
  if (job != Job::files && os::landlock_version() < 1) {
    return plain_error(
        "confine the examiner", "Landlock", "this kernel lacks it, or has it off",
        "Linux 5.13 and later have it: lsm=landlock,... on the kernel's command line");
  }
  std::vector<long> calls(std::begin(kAlways), std::end(kAlways));
  if (job == Job::files) {
    TRY(os::leave_files({}));
    return os::allow_only(calls, {}, os::Threads::allowed);
  }
  calls.insert(calls.end(), std::begin(kOfNames), std::end(kOfNames));
  if (job == Job::libraries) {
    TRY(leave_one_file());
    return os::allow_only(calls, kOpen, os::Threads::allowed);
  }
  TRY(leave_fonts());
  return os::allow_only(calls, kDraw, os::Threads::allowed);
}

}  // namespace rootlet::examiner
