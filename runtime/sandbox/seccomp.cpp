// SPDX-License-Identifier: MIT
#include "runtime/sandbox/seccomp.hpp"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstddef>
#include <map>

namespace rootlet::sandbox {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "the system-call table of this architecture is missing"
#endif

// The last system call that was looked at when this table was written
// (file_setattr, Linux 6.17). Newer ones are "unknown": ENOSYS makes
// libraries fall back to what they used before.
constexpr std::uint32_t kLastKnown = 469;

// Numbers that Debian 12's headers (Linux 6.1) lack; the same on all
// architectures since Linux 5.1.
constexpr std::uint32_t kOpenTreeAttr = 467;

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

const Rule kRules[] = {
    // Keyrings are shared by all processes of the user, whatever the namespace.
    {SYS_add_key, EPERM},
    {SYS_request_key, EPERM},
    {SYS_keyctl, EPERM},
    // Large, privileged or often attacked parts of the kernel.
    {SYS_bpf, EPERM},
    {SYS_perf_event_open, EPERM},
    {SYS_userfaultfd, EPERM},
    {SYS_kexec_load, EPERM},
    {SYS_kexec_file_load, EPERM},
    {SYS_init_module, EPERM},
    {SYS_finit_module, EPERM},
    {SYS_delete_module, EPERM},
    {SYS_reboot, EPERM},
    {SYS_swapon, EPERM},
    {SYS_swapoff, EPERM},
    {SYS_acct, EPERM},
    {SYS_quotactl, EPERM},
    {SYS_quotactl_fd, EPERM},
    {SYS_syslog, EPERM},
    {SYS_settimeofday, EPERM},
    {SYS_clock_settime, EPERM},
    {SYS_vhangup, EPERM},
    {SYS_lookup_dcookie, EPERM},
    {SYS_nfsservctl, ENOSYS},
    // Opens files by number, past every mount (CVE class "shocker").
    {SYS_open_by_handle_at, EPERM},
    // Its requests do what a filter on system calls cannot see.
    {SYS_io_uring_setup, ENOSYS},
    {SYS_io_uring_enter, ENOSYS},
    {SYS_io_uring_register, ENOSYS},
    // The new mount API: no capability of ours to use it with, and a history
    // of filters that forgot it (CVE-2021-41133).
    {SYS_open_tree, ENOSYS},
    {SYS_move_mount, ENOSYS},
    {SYS_fsopen, ENOSYS},
    {SYS_fsconfig, ENOSYS},
    {SYS_fsmount, ENOSYS},
    {SYS_fspick, ENOSYS},
    {SYS_mount_setattr, ENOSYS},
    {kOpenTreeAttr, ENOSYS},
#if defined(__x86_64__)
    {SYS_iopl, EPERM},
    {SYS_ioperm, EPERM},
    {SYS_create_module, ENOSYS},
    {SYS_get_kernel_syms, ENOSYS},
    {SYS_query_module, ENOSYS},
    {SYS_uselib, ENOSYS},
    {SYS_ustat, ENOSYS},
    {SYS_sysfs, ENOSYS},
    {SYS__sysctl, ENOSYS},
    {SYS_modify_ldt, EPERM},
#endif
    // Of a process group or a user they would reach beyond the run.
    {SYS_setpriority, 0, Check::priority},
    {SYS_ioprio_set, 0, Check::io_priority},
    {SYS_ioctl, 0, Check::ioctl_request},
    {SYS_socket, 0, Check::socket_family},
    {SYS_socketpair, 0, Check::socket_family},
};

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
std::uint32_t fail_with(std::uint32_t code) { return SECCOMP_RET_ERRNO | code; }

// Classic BPF, emitted front to back; jumps count instructions forward.
class Program {
 public:
  void statement(std::uint16_t code, std::uint32_t k) { put(code, k, 0, 0); }
  void load(std::size_t offset) {
    statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  }
  void give(std::uint32_t action) { statement(BPF_RET | BPF_K, action); }

  // if (A == k) return action;
  void give_if_equal(std::uint32_t k, std::uint32_t action) {
    put(BPF_JMP | BPF_JEQ | BPF_K, k, 0, 1);
    give(action);
  }
  // if (A >= k) go to `right`, else to `left`.
  void branch(std::uint32_t k, const Program& left, const Program& right) {
    put(BPF_JMP | BPF_JGE | BPF_K, k, static_cast<std::uint8_t>(left.code_.size()), 0);
    append(left);
    append(right);
  }
  void append(const Program& other) {
    code_.insert(code_.end(), other.code_.begin(), other.code_.end());
  }
  const std::vector<sock_filter>& code() const { return code_; }

 private:
  void put(std::uint16_t code, std::uint32_t k, std::uint8_t jump_true, std::uint8_t jump_false) {
    code_.push_back(sock_filter{code, jump_true, jump_false, k});
  }
  std::vector<sock_filter> code_;
};

// The low half of an argument. The kernel's ioctl and socket take an int, so a
// comparison of all 64 bits would let TIOCSTI | 1<<32 through (CVE-2019-10063).
constexpr std::size_t argument(std::size_t index) {
  return offsetof(seccomp_data, args) + index * sizeof(std::uint64_t);
}

Program leaf(const Rule& rule) {
  Program program;
  if (rule.check == Check::ioctl_request) {
    program.load(argument(1));
    program.give_if_equal(TIOCSTI, fail_with(EPERM));    // types into the caller's terminal
    program.give_if_equal(TIOCLINUX, fail_with(EPERM));  // the same on a virtual console
    program.give(kAllow);
  } else if (rule.check == Check::priority || rule.check == Check::io_priority) {
    constexpr std::uint32_t kIoPriorityOfProcess = 1;  // IOPRIO_WHO_PROCESS, ioprio_set(2)
    program.load(argument(0));
    program.give_if_equal(
        rule.check == Check::priority ? std::uint32_t{PRIO_PROCESS} : kIoPriorityOfProcess, kAllow);
    program.give(fail_with(EPERM));
  } else if (rule.check == Check::socket_family) {
    program.load(argument(0));
    program.give_if_equal(AF_ALG, fail_with(EAFNOSUPPORT));
    program.give_if_equal(AF_VSOCK, fail_with(EAFNOSUPPORT));  // the hypervisor: no namespace
    program.give_if_equal(AF_PACKET, fail_with(EAFNOSUPPORT));
    program.give(kAllow);
  } else {
    program.give(fail_with(rule.code));
  }
  return program;
}

// From `number` up to the next one the same thing happens.
struct Range {
  std::uint32_t number;
  Program action;
};

// A balanced tree: when a filter is attached the kernel runs it once for every
// system call to learn which are always allowed (Linux 5.11), so its depth
// counts at every start.
Program tree(const std::vector<Range>& ranges, std::size_t first, std::size_t last) {
  if (last - first == 1) return ranges[first].action;
  const std::size_t middle = first + (last - first) / 2;
  Program program;
  program.branch(ranges[middle].number, tree(ranges, first, middle), tree(ranges, middle, last));
  return program;
}

}  // namespace

std::vector<sock_filter> default_filter() {
  std::map<std::uint32_t, const Rule*> rules;
  for (const Rule& rule : kRules) rules[rule.number] = &rule;
  Program allow;
  allow.give(kAllow);
  Program unknown;  // also the x32 calls, whose numbers begin at 0x40000000
  unknown.give(fail_with(ENOSYS));

  std::vector<Range> ranges;
  std::uint32_t next = 0;
  for (const auto& [number, rule] : rules) {
    if (number > next || ranges.empty()) ranges.push_back({next, allow});
    if (number == 0) ranges.clear();
    ranges.push_back({number, leaf(*rule)});
    next = number + 1;
  }
  ranges.push_back({next, allow});
  ranges.push_back({kLastKnown + 1, unknown});

  Program program;
  program.load(offsetof(seccomp_data, arch));
  // A call by another door (int 0x80): its numbers mean something else.
  Program same;
  same.load(offsetof(seccomp_data, nr));
  same.append(tree(ranges, 0, ranges.size()));
  program.statement(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture);
  std::vector<sock_filter> code = program.code();
  code.back().jt = 1;
  code.push_back(sock_filter{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS});
  code.insert(code.end(), same.code().begin(), same.code().end());
  return code;
}

Status install_filter(const std::vector<sock_filter>& program) {
  const sock_fprog filter{static_cast<unsigned short>(program.size()),
                          const_cast<sock_filter*>(program.data())};
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0) return Done{};
  return last_error("install the system-call filter", {},
                    "the kernel needs CONFIG_SECCOMP_FILTER; seccomp=none runs without");
}

}  // namespace rootlet::sandbox
