// SPDX-License-Identifier: MIT
#include "runtime/sandbox/privileges.hpp"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include "runtime/os/capabilities.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet::sandbox {
namespace {

// Of Linux 6.12's landlock.h; Debian 12's headers end at ABI 2.
struct RulesetAttributes {
  std::uint64_t handled_access_fs = 0;
  std::uint64_t handled_access_net = 0;
  std::uint64_t scoped = 0;
};
constexpr std::uint64_t kScopeAbstractSockets = 1u << 0;
constexpr std::uint64_t kScopeSignals = 1u << 1;
constexpr unsigned kRulesetVersion = 1;
constexpr long kScopesFrom = 6;

constexpr Capabilities bit(unsigned long capability) { return Capabilities{1} << capability; }

}  // namespace

Capabilities capabilities_of_tool(const Ids& ids) {
  if (!ids.many()) return 0;
  return bit(CAP_CHOWN) | bit(CAP_DAC_OVERRIDE) | bit(CAP_FOWNER) | bit(CAP_FSETID) |
         bit(CAP_KILL) | bit(CAP_SETGID) | bit(CAP_SETUID);
}

Capabilities capabilities_of_init(const Ids& ids) { return ids.many() ? bit(CAP_KILL) : 0; }

Status drop_capabilities(Capabilities kept) {
  constexpr std::string_view kAction = "drop capabilities";
  // Locked, so that no id change and no setuid file brings them back.
  constexpr unsigned long kAlways =
      SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
  constexpr unsigned long kRootIsNobody =
      SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED;
  const unsigned long bits = kAlways | (kept == 0 ? kRootIsNobody : 0);
  if (::prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) != 0) return last_error(kAction, "secure bits");
  for (unsigned long capability = 0; capability < 64; ++capability) {
    if (kept & bit(capability)) continue;
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
    if (errno == EINVAL) break;  // beyond the last one that this kernel knows
    return last_error(kAction, "bounding set");
  }
  return os::keep_capabilities(kept);
}

Status keep_network_capabilities() {
  constexpr std::string_view kAction = "keep capabilities";
  constexpr auto kKept = static_cast<std::uint32_t>(bit(CAP_SYS_ADMIN) | bit(CAP_NET_ADMIN));
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {{kKept, kKept, kKept}, {}};
  if (::syscall(SYS_capset, &header, sets) != 0) return last_error(kAction);
  for (const int capability : {CAP_SYS_ADMIN, CAP_NET_ADMIN}) {
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0) {
      return last_error(kAction);
    }
  }
  return Done{};
}

Status set_no_new_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return last_error("set no_new_privs");
  return Done{};
}

bool have_signal_scope() {
  return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kRulesetVersion) >= kScopesFrom;
}

Result<bool> scope_signals(bool sockets) {
  constexpr std::string_view kAction = "enter a Landlock domain";
  if (!have_signal_scope()) return false;
  RulesetAttributes attributes;
  attributes.scoped = kScopeSignals | (sockets ? kScopeAbstractSockets : 0);
  const os::Fd ruleset(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0)));
  if (!ruleset.valid()) return last_error(kAction);
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) return last_error(kAction);
  return true;
}

}  // namespace rootlet::sandbox
