// SPDX-License-Identifier: MIT
#include "runtime/sandbox/seccomp.hpp"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "runtime/sandbox/filter_program.hpp"

namespace rootlet::sandbox {
namespace {

constexpr auto kProgram = [] {
  std::array<sock_filter, compile_rules().size()> program{};
  std::ranges::copy(compile_rules(), program.begin());
  return program;
}();

}  // namespace

std::span<const sock_filter> default_filter() { return kProgram; }

Status install_filter(std::span<const sock_filter> program) {
  const sock_fprog filter{static_cast<unsigned short>(program.size()),
                          const_cast<sock_filter*>(program.data())};
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0) return Done{};
  return last_error("install the system-call filter", {},
                    "the kernel needs CONFIG_SECCOMP_FILTER; seccomp=none runs without");
}

int raw_filter(std::span<const sock_filter> program, bool listens) {
  const sock_fprog filter{static_cast<unsigned short>(program.size()),
                          const_cast<sock_filter*>(program.data())};
  return static_cast<int>(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                    listens ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0, &filter));
}

}  // namespace rootlet::sandbox
