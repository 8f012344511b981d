// SPDX-License-Identifier: MIT
#include "runtime/run/authority.hpp"

#include <algorithm>

#include "runtime/run/power.hpp"

namespace rootlet {
namespace {

std::string said(const std::string& name, const std::string& value) {
  return option_text(name) + (value.empty() ? "" : "=" + value);
}

Error refused(const std::string& name, const std::string& value) {
  return plain_error("apply the image's policy", name + (value.empty() ? "" : "=" + value),
                     "the image asks for more than its profile gives",
                     "if you trust it: " + said(name, value));
}

// What the user said beyond a lock. Options that add up, and those that give
// something whatever their value, are locked altogether.
Status obey(const Options& options, const Lock& lock) {
  const Power power = power_of(lock.name);
  for (const Setting& setting : options.given) {
    if (setting.name != lock.name || setting.origin == Origin::site_file) continue;
    const bool free = !adds_up(lock.name) && (power.kind == Power::Kind::harmless
                                                  ? setting.value == lock.bound
                                                  : !wider(power, setting.value, lock.bound));
    if (free) continue;
    Error error =
        plain_error("read the options", said(setting.name, setting.value),
                    lock.by + " has locked it" + (lock.bound.empty() ? "" : " at " + lock.bound));
    error.hint = "leave it out; whoever keeps " + lock.by + " can change it";
    return error;
  }
  return Done{};
}

// The profile of a run may give more than a locked option allows.
Status hold_profile_to(Options& options, const Lock& lock) {
  const Power power = power_of(lock.name);
  const Profile profile = options.profile.value_or(Profile::contained);
  if (power.kind != Power::Kind::words || options.was_given(lock.name) ||
      !wider(power, power.given_by(profile), lock.bound)) {
    return Done{};
  }
  return set_option(options, lock.name, lock.bound, Origin::site_file);
}

// What was typed stands; a default of a file gives way to what is stricter.
bool user_holds(const Options& options, const std::string& name, const std::string& asked) {
  const Power power = power_of(name);
  const Setting* last = nullptr;
  for (const Setting& setting : options.given) {
    if (setting.name == name) last = &setting;
  }
  if (last == nullptr) return false;
  const bool of_file = last->origin == Origin::site_file || last->origin == Origin::user_file;
  return !of_file || power.kind == Power::Kind::harmless || wider(power, asked, last->value);
}

// One thing that the image's policy says.
Status take_up(Options& options, const Options& by_user, const std::string& name,
               const std::string& value) {
  const Power power = power_of(name);
  if (!adds_up(name) && !is_limit(name) && user_holds(by_user, name, value)) return Done{};
  if (power.kind != Power::Kind::unknown && power.kind != Power::Kind::callers &&
      widens(name, value, options.profile.value_or(Profile::contained))) {
    if (!by_user.was_given(name)) return refused(name, value);
    return Done{};  // the user gave such an option: what it names is enough
  }
  return set_option(options, name, value.empty() ? std::nullopt : std::optional(value),
                    Origin::policy);
}

}  // namespace

bool widens(std::string_view option, const std::string& value, Profile profile) {
  const Power power = power_of(option);
  if (option == "profile") {
    constexpr std::string_view kNames[] = {"isolated", "contained", "compat"};
    return wider(power, value, kNames[static_cast<int>(profile)]);
  }
  return wider(power, value, power.given_by(profile));
}

Status obey_locks(Options& options) {
  const std::vector<Lock> locks = options.locks;
  for (const Lock& lock : locks) {
    TRY(obey(options, lock));
    TRY(hold_profile_to(options, lock));
  }
  if (locks.empty() || !(options.no_isolation || options.best_effort)) return Done{};
  return plain_error("read the options",
                     option_text(options.no_isolation ? "no-isolation" : "best-effort"),
                     locks.front().by + " has locked options, which this would undo",
                     "leave it out; whoever keeps " + locks.front().by + " can change it");
}

Status apply_policy(Options& options, const Policy& policy) {
  const Options by_user = options;
  for (const std::string& name : policy.locked) {
    Lock lock{name, power_of(name).standard, "the image's policy"};
    for (const auto& [option, value] : policy.isolation) {
      if (option == name) lock.bound = value;
    }
    TRY(obey(options, lock));
  }
  // First, for it decides what the others would widen.
  for (const bool profile : {true, false}) {
    for (const auto& [name, value] : policy.isolation) {
      if ((name == "profile") == profile) TRY(take_up(options, by_user, name, value));
    }
  }
  // Later variables win, and the user's shall.
  const auto users = static_cast<std::ptrdiff_t>(by_user.env.size());
  std::rotate(options.env.begin(), options.env.begin() + users, options.env.end());
  return Done{};
}

}  // namespace rootlet
