// SPDX-License-Identifier: MIT
#include "runtime/os/capabilities.hpp"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace rootlet::os {

Status keep_capabilities(std::uint64_t kept) {
  constexpr std::string_view kAction = "drop capabilities";
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);  // Linux 4.3; new sets are empty
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  if (::syscall(SYS_capget, &header, sets) != 0) return last_error(kAction);
  for (int word = 0; word < 2; ++word) {
    const auto wanted = static_cast<std::uint32_t>(kept >> (32 * word));
    const std::uint32_t left = sets[word].permitted & wanted;
    sets[word] = {left, left, 0};
  }
  if (::syscall(SYS_capset, &header, sets) != 0) return last_error(kAction);
  return Done{};
}

}  // namespace rootlet::os
