// SPDX-License-Identifier: MIT
#include "runtime/sandbox/seccomp.hpp"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <catch2/catch.hpp>
#include <cerrno>

#include "tests/unit/sandbox/bpf.hpp"

using namespace rootlet::sandbox;

namespace {

std::uint32_t judge(long number, std::uint64_t first = 0, std::uint64_t second = 0) {
  seccomp_data call{};
  call.nr = static_cast<int>(number);
#if defined(__x86_64__)
  call.arch = AUDIT_ARCH_X86_64;
#else
  call.arch = AUDIT_ARCH_AARCH64;
#endif
  call.args[0] = first;
  call.args[1] = second;
  return run_bpf(default_filter(), call);
}

constexpr std::uint32_t refused(int code) {
  return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(code);
}

}  // namespace

TEST_CASE("ordinary calls pass") {
  for (const long number :
       {SYS_read, SYS_write, SYS_openat, SYS_execve, SYS_clone, SYS_mmap, SYS_unshare, SYS_mount,
        SYS_ptrace, SYS_exit_group, SYS_clone3, SYS_landlock_create_ruleset}) {
    INFO(number);
    CHECK(judge(number) == SECCOMP_RET_ALLOW);
  }
}

TEST_CASE("calls that a packaged tool has no business with fail with an errno") {
  for (const long number : {SYS_add_key, SYS_keyctl, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd,
                            SYS_kexec_load, SYS_init_module, SYS_open_by_handle_at, SYS_reboot}) {
    INFO(number);
    CHECK(judge(number) == refused(EPERM));
  }
  constexpr long kOpenTreeAttr = 467;
  for (const long number : {long{SYS_io_uring_setup}, long{SYS_open_tree}, long{SYS_move_mount},
                            long{SYS_fsopen}, long{SYS_mount_setattr}, kOpenTreeAttr}) {
    INFO(number);
    CHECK(judge(number) == refused(ENOSYS));
  }
}

TEST_CASE("calls newer than the table do not exist, so that libraries fall back") {
  CHECK(judge(469) == SECCOMP_RET_ALLOW);
  CHECK(judge(470) == refused(ENOSYS));
  CHECK(judge(100000) == refused(ENOSYS));
}

TEST_CASE(
    "nothing can be typed into the caller's terminal, whatever the high half of the request") {
  CHECK(judge(SYS_ioctl, 0, TIOCSTI) == refused(EPERM));
  CHECK(judge(SYS_ioctl, 0, TIOCSTI | (1ull << 32)) == refused(EPERM));
  CHECK(judge(SYS_ioctl, 0, TIOCLINUX) == refused(EPERM));
  CHECK(judge(SYS_ioctl, 0, TIOCSETD) == refused(EPERM));
  CHECK(judge(SYS_ioctl, 0, TIOCGWINSZ) == SECCOMP_RET_ALLOW);
}

TEST_CASE("sockets are of the families that programs use, the others do not exist") {
  for (std::uint64_t family = 0; family < 256; ++family) {
    const bool wanted =
        family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK;
    const std::uint32_t answer = wanted ? SECCOMP_RET_ALLOW : refused(EAFNOSUPPORT);
    INFO(family);
    for (const long call : {SYS_socket, SYS_socketpair}) {
      CHECK(judge(call, family, SOCK_STREAM | SOCK_CLOEXEC) == answer);
      CHECK(judge(call, family | (1ull << 32), SOCK_DGRAM) == answer);
    }
  }
}

TEST_CASE("raw packets have no other spelling") {
  CHECK(judge(SYS_socket, AF_INET, SOCK_PACKET) == refused(EAFNOSUPPORT));
  CHECK(judge(SYS_socket, AF_INET, SOCK_PACKET | SOCK_NONBLOCK | (1ull << 32)) ==
        refused(EAFNOSUPPORT));
}

TEST_CASE("a call by the door of another architecture ends the process") {
  seccomp_data call{};
  call.nr = SYS_read;
  call.arch = AUDIT_ARCH_I386;
  CHECK(run_bpf(default_filter(), call) == SECCOMP_RET_KILL_PROCESS);
}

#if defined(__x86_64__)
TEST_CASE("the x32 numbers do not exist") {
  CHECK(judge(0x40000000L | SYS_read) == refused(ENOSYS));
}
#endif
