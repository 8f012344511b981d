// SPDX-License-Identifier: MIT
#include "runtime/os/landlock.hpp"

#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/os/fd.hpp"

namespace rootlet::os {
namespace {

constexpr std::string_view kConfine = "confine a process";

// Of Linux 6.12's landlock.h; Debian 12's headers end at ABI 2.
struct RulesetAttributes {
  std::uint64_t files = 0, network = 0, scoped = 0;
};

// Which rights each version of Landlock knows (landlock(7), Documentation/
// userspace-api/landlock.rst): all of them are taken away.
RulesetAttributes all_rights(long version) {
  RulesetAttributes all;
  const int files = version >= 5 ? 16 : version >= 3 ? 15 : version == 2 ? 14 : 13;
  all.files = (1u << files) - 1;
  all.network = version >= 4 ? 3 : 0;
  all.scoped = version >= 6 ? 3 : 0;
  return all;
}

}  // namespace

long landlock_version() {
  return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

Status leave_files(std::span<const FileRight> rights) {
  const long version = landlock_version();
  if (version < 1) return Done{};
  const RulesetAttributes all = all_rights(version);
  const Fd ruleset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0)));
  if (!ruleset.valid()) return last_error(kConfine, "Landlock");
  for (const FileRight& right : rights) {
    if (right.below < 0) continue;
    const landlock_path_beneath_attr rule{right.access & all.files, right.below};
    if (::syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) !=
        0) {
      return last_error(kConfine, "Landlock");
    }
  }
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) {
    return last_error(kConfine, "Landlock");
  }
  return Done{};
}

}  // namespace rootlet::os
