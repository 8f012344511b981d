// SPDX-License-Identifier: MIT
// The default filter against one that libseccomp makes of the same rules, told
// here a second time, by name.
#include <linux/audit.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/sandbox/seccomp.hpp"
#include "tests/unit/sandbox/bpf.hpp"

std::vector<sock_filter> filter_of_aarch64();

namespace {

const std::set<std::string> kDenied = {"add_key",       "request_key",     "keyctl",
                                       "bpf",           "perf_event_open", "userfaultfd",
                                       "fanotify_init", "kexec_load",      "kexec_file_load",
                                       "init_module",   "finit_module",    "delete_module",
                                       "reboot",        "swapon",          "swapoff",
                                       "acct",          "quotactl",        "quotactl_fd",
                                       "syslog",        "settimeofday",    "clock_settime",
                                       "vhangup",       "lookup_dcookie",  "open_by_handle_at",
                                       "iopl",          "ioperm",          "modify_ldt"};
const std::set<std::string> kGone = {
    "nfsservctl",    "io_uring_setup", "io_uring_enter",  "io_uring_register", "open_tree",
    "move_mount",    "fsopen",         "fsconfig",        "fsmount",           "fspick",
    "mount_setattr", "create_module",  "get_kernel_syms", "query_module",      "uselib",
    "ustat",         "sysfs",          "_sysctl"};

constexpr unsigned kOpenTreeAttr = 467;
constexpr std::uint64_t kLow = 0xffffffff;

void refuse(scmp_filter_ctx made, std::uint32_t answer, const std::string& name,
            std::vector<scmp_arg_cmp> when = {}) {
  const int number = seccomp_syscall_resolve_name(name.c_str());
  INFO(name);
  REQUIRE(number != __NR_SCMP_ERROR);
  const int code =
      seccomp_rule_add_array(made, answer, number, static_cast<unsigned>(when.size()), when.data());
  REQUIRE(code == 0);
}

void refuse_by_argument(scmp_filter_ctx made) {
  const std::uint64_t requests[] = {TIOCSTI, TIOCLINUX, TIOCSETD};
  for (const std::uint64_t request : requests) {
    refuse(made, SCMP_ACT_ERRNO(EPERM), "ioctl", {SCMP_A1(SCMP_CMP_MASKED_EQ, kLow, request)});
  }
  for (const char* call : {"socket", "socketpair"}) {
    for (std::uint64_t family = 0; family < 64; ++family) {
      if (family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK) {
        continue;
      }
      refuse(made, SCMP_ACT_ERRNO(EAFNOSUPPORT), call, {SCMP_A0(SCMP_CMP_MASKED_EQ, kLow, family)});
    }
    refuse(made, SCMP_ACT_ERRNO(EAFNOSUPPORT), call,
           {SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_PACKET)});
  }
  for (std::uint64_t which = 0; which < 64; ++which) {
    if (which != PRIO_PROCESS) {
      refuse(made, SCMP_ACT_ERRNO(EPERM), "setpriority",
             {SCMP_A0(SCMP_CMP_MASKED_EQ, kLow, which)});
    }
    if (which != 1) {
      refuse(made, SCMP_ACT_ERRNO(EPERM), "ioprio_set", {SCMP_A0(SCMP_CMP_MASKED_EQ, kLow, which)});
    }
  }
}

std::vector<sock_filter> exported(scmp_filter_ctx made) {
  FILE* file = std::tmpfile();
  REQUIRE(seccomp_export_bpf(made, fileno(file)) == 0);
  std::vector<sock_filter> program(4096);
  std::rewind(file);
  program.resize(std::fread(program.data(), sizeof(sock_filter), program.size(), file));
  std::fclose(file);
  return program;
}

std::vector<sock_filter> libseccomps(std::uint32_t architecture) {
  scmp_filter_ctx made = seccomp_init(SCMP_ACT_ALLOW);
  if (architecture != seccomp_arch_native()) {
    REQUIRE(seccomp_arch_add(made, architecture) == 0);
    REQUIRE(seccomp_arch_remove(made, seccomp_arch_native()) == 0);
  }
  REQUIRE(seccomp_attr_set(made, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0);
  const auto there = [&](const std::string& name) {
    return seccomp_syscall_resolve_name_arch(architecture, name.c_str()) >= 0;
  };
  for (const std::string& name : kDenied) {
    if (there(name)) refuse(made, SCMP_ACT_ERRNO(EPERM), name);
  }
  for (const std::string& name : kGone) {
    if (there(name)) refuse(made, SCMP_ACT_ERRNO(ENOSYS), name);
  }
  refuse_by_argument(made);
  const auto program = exported(made);
  seccomp_release(made);
  return program;
}

// What libseccomp 2.5 has no name for: it cannot be told of these.
std::uint32_t beyond_libseccomp(unsigned number, unsigned gap) {
  const bool gone = number == kOpenTreeAttr || number > 469 || (number >= gap && number < 424);
  return gone ? SECCOMP_RET_ERRNO | ENOSYS : SECCOMP_RET_ALLOW;
}

void compare(std::uint32_t architecture, std::span<const sock_filter> ours, unsigned gap) {
  const auto theirs = libseccomps(architecture);
  // The decisive arguments are the first (families, targets) or the second.
  const std::uint64_t firsts[] = {0, 1, 2, 3, 4, 10, 16, 17, 38, 40, 63};
  const std::uint64_t seconds[] = {
      0,   1, 3, TIOCSTI, TIOCLINUX, TIOCSETD, TIOCGWINSZ, SOCK_PACKET, SOCK_PACKET | SOCK_CLOEXEC,
      kLow};
  unsigned compared = 0;
  for (unsigned number = 0; number < 700; ++number) {
    char* name = seccomp_syscall_resolve_num_arch(architecture, static_cast<int>(number));
    const bool known = name != nullptr;
    std::free(name);
    for (const std::uint64_t high : {0ull, 1ull << 32, ~0ull << 32}) {
      for (const std::uint64_t first : firsts) {
        for (const std::uint64_t second : seconds) {
          const seccomp_data call{
              static_cast<int>(number), architecture, 0, {first | high, second | high, 0, 0, 0, 0}};
          const auto wanted = known ? run_bpf(theirs, call) : beyond_libseccomp(number, gap);
          const auto answer = run_bpf(ours, call);
          if (answer != wanted) {
            FAIL_CHECK(number << " (" << first << ", " << second << "), high " << high << ": "
                              << answer << ", wanted " << wanted);
          }
          ++compared;
        }
      }
    }
  }
  CHECK(compared == 700 * 3 * 11 * 10);
}

}  // namespace

#if defined(__x86_64__)
TEST_CASE("the filter of x86-64 decides as libseccomp's, for every call and many arguments") {
  compare(SCMP_ARCH_X86_64, rootlet::sandbox::default_filter(), 337);
}
#endif

TEST_CASE("the filter of aarch64 decides as libseccomp's, for every call and many arguments") {
  const auto program = filter_of_aarch64();
  compare(SCMP_ARCH_AARCH64, program, 295);
  const seccomp_data other{0, AUDIT_ARCH_ARM, 0, {}};
  CHECK(run_bpf(program, other) == SECCOMP_RET_KILL_PROCESS);
}
