// SPDX-License-Identifier: MIT
#pragma once

#include <linux/audit.h>

#include <cerrno>
#include <cstdint>

// The table of the default filter. docs/isolation.md justifies it entry by
// entry. Whoever includes this has the numbers (__NR_*) of the architecture
// that it is for; a test brings those of the other one.
namespace rootlet::sandbox {

enum class Check : std::uint8_t {
  none,
  ioctl_request,
  socket_family,
  priority,
  io_priority
};

struct Rule {
  std::uint32_t number;
  std::uint16_t code;  // the errno; 0 with a check
  Check check = Check::none;
};

#if defined(__NR_arch_prctl)  // x86-64
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
constexpr std::uint32_t kGap = 337;  // behind uprobe (Linux 6.18)
#else                                // the generic table: aarch64
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
constexpr std::uint32_t kGap = 295;  // behind kexec_file_load (Linux 5.0)
#endif

// Between kGap and this nothing has a number; from here on (Linux 5.1) numbers
// are the same on all architectures.
constexpr std::uint32_t kCommon = 424;

// The last system call that was looked at when this table was written
// (file_setattr, Linux 6.17 and 6.18). Newer ones are "unknown": ENOSYS makes
// libraries fall back to what they used before.
constexpr std::uint32_t kLastKnown = 469;

constexpr Rule kRules[] = {
    // Keyrings are shared by all processes of the user, whatever the namespace.
    {__NR_add_key, EPERM},
    {__NR_request_key, EPERM},
    {__NR_keyctl, EPERM},
    // Large, privileged or often attacked parts of the kernel.
    {__NR_bpf, EPERM},
    {__NR_perf_event_open, EPERM},
    {__NR_userfaultfd, EPERM},
    {__NR_fanotify_init, EPERM},
    {__NR_kexec_load, EPERM},
    {__NR_kexec_file_load, EPERM},
    {__NR_init_module, EPERM},
    {__NR_finit_module, EPERM},
    {__NR_delete_module, EPERM},
    {__NR_reboot, EPERM},
    {__NR_swapon, EPERM},
    {__NR_swapoff, EPERM},
    {__NR_acct, EPERM},
    {__NR_quotactl, EPERM},
    {443, EPERM},  // quotactl_fd
    {__NR_syslog, EPERM},
    {__NR_settimeofday, EPERM},
    {__NR_clock_settime, EPERM},
    {__NR_vhangup, EPERM},
    {__NR_lookup_dcookie, EPERM},
    {__NR_nfsservctl, ENOSYS},
    // Opens files by number, past every mount (CVE class "shocker").
    {__NR_open_by_handle_at, EPERM},
    // Its requests do what a filter on system calls cannot see.
    {__NR_io_uring_setup, ENOSYS},
    {__NR_io_uring_enter, ENOSYS},
    {__NR_io_uring_register, ENOSYS},
    // The new mount API: no capability of ours to use it with, and a history
    // of filters that forgot it (CVE-2021-41133).
    {__NR_open_tree, ENOSYS},
    {__NR_move_mount, ENOSYS},
    {__NR_fsopen, ENOSYS},
    {__NR_fsconfig, ENOSYS},
    {__NR_fsmount, ENOSYS},
    {__NR_fspick, ENOSYS},
    {442, ENOSYS},  // mount_setattr
    {467, ENOSYS},  // open_tree_attr
#if defined(__NR_arch_prctl)
    {__NR_iopl, EPERM},
    {__NR_ioperm, EPERM},
    {__NR_modify_ldt, EPERM},
    {__NR_create_module, ENOSYS},
    {__NR_get_kernel_syms, ENOSYS},
    {__NR_query_module, ENOSYS},
    {__NR_uselib, ENOSYS},
    {__NR_ustat, ENOSYS},
    {__NR_sysfs, ENOSYS},
    {__NR__sysctl, ENOSYS},
#endif
    // Of a process group or a user they would reach beyond the run.
    {__NR_setpriority, 0, Check::priority},
    {__NR_ioprio_set, 0, Check::io_priority},
    {__NR_ioctl, 0, Check::ioctl_request},
    {__NR_socket, 0, Check::socket_family},
    {__NR_socketpair, 0, Check::socket_family},
};

}  // namespace rootlet::sandbox
