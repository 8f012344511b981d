// SPDX-License-Identifier: MIT
#include "runtime/os/capabilities.hpp"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace rootlet::os {
namespace {

constexpr std::string_view kAction = "drop capabilities";

std::uint64_t permitted_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  ::syscall(SYS_capget, &header, sets);
  return std::uint64_t{sets[1].permitted} << 32 | sets[0].permitted;
}

}  // namespace

Status keep_capabilities(std::uint64_t kept) {
  // Locked, so that no id change and no setuid file brings them back.
  constexpr unsigned long kBits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                                  SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                                  SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
  // A caller without capabilities may change neither of these, and needs not
  // to: nothing is executed any more.
  const std::uint64_t held = permitted_capabilities();
  if ((held >> CAP_SETPCAP & 1) != 0) {
    if (::prctl(PR_SET_SECUREBITS, kBits, 0, 0, 0) != 0) return last_error(kAction, "secure bits");
    for (unsigned long capability = 0; capability < 64; ++capability) {
      if ((kept >> capability & 1) != 0) continue;
      if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) break;  // beyond the last one
    }
  }
  kept &= held;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const auto low = static_cast<std::uint32_t>(kept);
  const auto high = static_cast<std::uint32_t>(kept >> 32);
  const __user_cap_data_struct sets[2] = {{low, low, 0}, {high, high, 0}};
  if (::syscall(SYS_capset, &header, sets) != 0) return last_error(kAction);
  return Done{};
}

}  // namespace rootlet::os
