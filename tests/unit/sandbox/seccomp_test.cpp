// SPDX-License-Identifier: MIT
#include "runtime/sandbox/seccomp.hpp"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstring>

using namespace rootlet::sandbox;

namespace {

// Runs the filter as the kernel would, for the few instructions that it uses.
std::uint32_t judge(const seccomp_data& call) {
  const auto program = default_filter();
  std::uint32_t accumulator = 0;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const sock_filter& step = program[at];
    switch (step.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        std::memcpy(&accumulator, reinterpret_cast<const char*>(&call) + step.k, 4);
        break;
      case BPF_JMP | BPF_JEQ | BPF_K: at += accumulator == step.k ? step.jt : step.jf; break;
      case BPF_JMP | BPF_JGE | BPF_K: at += accumulator >= step.k ? step.jt : step.jf; break;
      case BPF_RET | BPF_K: return step.k;
      default: return 0;
    }
  }
  return 0;
}

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
  return judge(call);
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
  CHECK(judge(SYS_ioctl, 0, TIOCGWINSZ) == SECCOMP_RET_ALLOW);
}

TEST_CASE("sockets that no namespace holds are refused") {
  CHECK(judge(SYS_socket, AF_ALG) == refused(EAFNOSUPPORT));
  CHECK(judge(SYS_socket, AF_VSOCK) == refused(EAFNOSUPPORT));
  CHECK(judge(SYS_socket, AF_PACKET | (1ull << 32)) == refused(EAFNOSUPPORT));
  CHECK(judge(SYS_socket, AF_INET) == SECCOMP_RET_ALLOW);
  CHECK(judge(SYS_socket, AF_UNIX) == SECCOMP_RET_ALLOW);
}

TEST_CASE("a call by the door of another architecture ends the process") {
  seccomp_data call{};
  call.nr = SYS_read;
  call.arch = AUDIT_ARCH_I386;
  CHECK(judge(call) == SECCOMP_RET_KILL_PROCESS);
}

#if defined(__x86_64__)
TEST_CASE("the x32 numbers do not exist") {
  CHECK(judge(0x40000000L | SYS_read) == refused(ENOSYS));
}
#endif
