// SPDX-License-Identifier: MIT
#include "runtime/run/authority.hpp"

#include <sys/sysinfo.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

namespace rootlet {
namespace {

// Each gives the run something of the host that no profile gives.
constexpr std::array<std::string_view, 10> kAlwaysWider = {
    "bind",   "input",     "output",  "attach",  "pass-env",
    "record", "data-path", "uid-map", "gid-map", "fake-root"};

// Options that add up instead of replacing one another.
bool adds_up(std::string_view name) {
  constexpr std::array<std::string_view, 8> kAdding = {"bind",     "input", "output",    "writable",
                                                       "pass-env", "env",   "data-path", "attach"};
  return std::find(kAdding.begin(), kAdding.end(), name) != kAdding.end();
}

Error refused(const std::string& name, const std::string& value) {
  Error error = plain_error("apply the image's policy", name + "=" + value,
                            "the image asks for more than its profile gives");
  error.hint = "if you trust it: " + option_text(name) + (value.empty() ? "" : "=" + value);
  return error;
}

// More than the quarter of memory that a run may fill anyway.
bool exceeds_default_memory(const std::string& value) {
  char* unit = nullptr;
  const unsigned long long number = std::strtoull(value.c_str(), &unit, 10);
  if (*unit == '%') return number > 25;
  const int shift = *unit == 'k' || *unit == 'K'   ? 10
                    : *unit == 'm' || *unit == 'M' ? 20
                    : *unit == 'g' || *unit == 'G' ? 30
                                                   : 0;
  struct sysinfo memory {};
  ::sysinfo(&memory);
  return number > (std::uint64_t{memory.totalram} * memory.mem_unit / 4) >> shift;
}

Error locked_error(const std::string& name) {
  return plain_error("read the options", option_text(name), "the image's policy has locked it",
                     "run the image without this option");
}

}  // namespace

bool widens(std::string_view option, const std::string& value, Profile profile) {
  if (std::find(kAlwaysWider.begin(), kAlwaysWider.end(), option) != kAlwaysWider.end()) {
    return true;
  }
  if (option == "profile") {
    return (value == "compat" && profile != Profile::compat) ||
           (value == "contained" && profile == Profile::isolated);
  }
  const bool compat = profile == Profile::compat;
  if (option == "net") return value != "none" && !compat;
  if (option == "ipc" || option == "uts") return value == "host" && !compat;
  if (option == "pid" || option == "cgroup") return value == "host";
  if (option == "seccomp") return value == "none";
  if (option == "tmp") return exceeds_default_memory(value);
  if (option == "home") return value != "none" && !compat;
  return false;
}

Status apply_policy(Options& options, const Policy& policy) {
  const Profile base = options.profile.value_or(Profile::contained);
  const std::vector<std::string> by_user = options.given;
  for (const std::string& name : policy.locked) {
    if (!options.was_given(name)) continue;
    // What the user said is not kept as text; only the wide values matter.
    const bool wide = (name == "net" && options.net_host.value_or(false)) ||
                      (name == "seccomp" && !options.seccomp.value_or(true)) ||
                      (name == "profile" && base == Profile::compat) || adds_up(name);
    if (wide) return locked_error(name);
  }
  for (const auto& [name, value] : policy.isolation) {
    const bool user_said = std::find(by_user.begin(), by_user.end(), name) != by_user.end();
    if (user_said && !adds_up(name) && !is_limit(name)) continue;
    const Profile profile = options.profile.value_or(base);
    if (widens(name, value, profile)) {
      if (!user_said) return refused(name, value);
      continue;  // the user gave such an option: what it names is enough
    }
    std::optional<std::string> given;
    if (!value.empty()) given = value;
    TRY(set_option(options, name, given, Origin::policy));
  }
  return Done{};
}

}  // namespace rootlet
