// SPDX-License-Identifier: MIT
#include "launcher/learn/rules_from.hpp"

#include <algorithm>
#include <set>

#include "launcher/learn/watch_filter.hpp"
#include "launcher/rules/merge.hpp"
#include "runtime/run/paths.hpp"

namespace rootlet::learn {
namespace {

rules::Access access_for_rules(Access access) {
  switch (access) {
    case Access::create: return rules::Access::create;
    case Access::remove: return rules::Access::remove;
    case Access::list: return rules::Access::list;
    case Access::metadata: return rules::Access::metadata;
    case Access::read: return rules::Access::read;
    case Access::write: break;
  }
  return rules::Access::write;
}

bool came_off(const Tally& tally) { return tally.count > tally.failed(); }

rules::Condition condition_of(const Argument& argument) {
  return {
      argument.index, {argument.mask, argument.mask_name}, {{argument.value, argument.value_name}}};
}

// The private place that holds the path; empty where none does.
std::string scratch_of(const Setting& setting, const std::string& path) {
  std::string longest;
  for (const std::string& place : setting.scratch) {
    if (is_below(path, place) && place.size() > longest.size()) longest = place;
  }
  return is_below(path, "/dev/shm") ? "/dev/shm" : longest;
}

// Entries that were made and removed again within the run: the names say nothing.
std::set<std::string> passing_names(const Recording& recording) {
  std::set<std::string> made, passing;
  for (const PathUse& use : recording.paths) {
    if (use.access == Access::create && came_off(use.tally)) made.insert(use.path);
  }
  for (const PathUse& use : recording.paths) {
    if (use.access == Access::remove && made.contains(use.path)) passing.insert(use.path);
  }
  return passing;
}

class Maker {
 public:
  Maker(const Recording& recording, const std::string& name)
      : recording_(recording), name_(name), passing_(passing_names(recording)) {}

  rules::Rules make() {
    rules::Rules rules;
    rules.runs.push_back(run());
    rules.system_calls = calls_of(recording_, name_);
    for (const PathUse& use : recording_.paths) {
      if (came_off(use.tally)) rules.paths.push_back(path(use));
    }
    for (const ProgramUse& use : recording_.programs) {
      if (!came_off(use.tally)) continue;
      rules.programs.push_back(
          {path_for_rules(recording_.setting, use.path), false, evidence(use.tally)});
    }
    for (const NetworkUse& use : recording_.network) add(rules, use);
    rules.normalise();
    return rules;
  }

 private:
  rules::Evidence evidence(const Tally& tally) const {
    return {{name_}, tally.count - std::min(tally.count, tally.failed())};
  }

  rules::Run run() const {
    rules::Run run{name_, recording_.date.substr(0, 10), recording_.image, recording_.end, {}, {}};
    run.command = recording_.command;
    for (const std::string& note : recording_.notes) {
      run.note += (run.note.empty() ? "" : "; ") + note;
    }
    return run;
  }

  rules::Path path(const PathUse& use) const {
    rules::Path path;
    path.access = {access_for_rules(use.access)};
    path.where = name_of(use.where);
    path.evidence = evidence(use.tally);
    const std::string scratch =
        use.where == Where::scratch ? scratch_of(recording_.setting, use.path) : "";
    // Empty at the start and gone at the end: whatever is in there is the tool's own.
    path.below = !scratch.empty();
    path.path = scratch.empty() ? use.path : scratch;
    if (scratch.empty() && passing_.contains(use.path)) {
      path.path = directory_of(use.path);
      path.below = true;
    }
    path.path = path_for_rules(recording_.setting, path.path);
    return path;
  }

  void add(rules::Rules& rules, const NetworkUse& use) const {
    if (!came_off(use.tally)) return;
    rules::Network network;
    network.direction = use.direction == "bind" ? "bind" : "connect";
    network.family = use.family;
    network.type = use.type;
    network.address = use.family == "unix" && use.address.starts_with('/')
                          ? path_for_rules(recording_.setting, use.address)
                          : use.address;
    if (use.port >= 0) network.port = static_cast<std::uint16_t>(use.port);
    network.evidence = evidence(use.tally);
    rules.network.push_back(std::move(network));
  }

  const Recording& recording_;
  std::string name_;
  std::set<std::string> passing_;
};

void add_quiet_calls(std::vector<rules::SystemCall>& calls, const std::string& run) {
  for (const std::uint32_t number : quiet_calls()) {
    seccomp_data call{};
    call.nr = static_cast<int>(number);
    rules::SystemCall entry{call_name(call.nr), {}, {{run}, 0}};
    for (const Argument& argument : deciding_arguments(call)) {
      entry.arguments.push_back(condition_of(argument));
    }
    rules::add_call(calls, std::move(entry));
  }
}

}  // namespace

std::vector<rules::SystemCall> calls_of(const Recording& recording, const std::string& run) {
  std::vector<rules::SystemCall> calls;
  if (recording.detail == "deciding") add_quiet_calls(calls, run);
  for (const CallUse& use : recording.calls_used) {
    if (use.detail == kRefused) continue;
    // A filter cannot look behind the pointer of clone3(2): refused with ENOSYS, and
    // the C library uses clone(2).
    rules::SystemCall call{use.name == "clone3" ? "clone" : use.name, {}, {{run}, use.tally.count}};
    for (const Argument& argument : use.arguments) {
      call.arguments.push_back(condition_of(argument));
    }
    rules::add_call(calls, std::move(call));
  }
  return calls;
}

std::string path_for_rules(const Setting& setting, const std::string& path) {
  std::string longest, token;
  const auto offer = [&](const std::string& place, const char* name) {
    if (place.size() <= 1 || place.size() <= longest.size() || !is_below(path, place)) return;
    longest = place;
    token = name;
  };
  offer(setting.cwd, "$CWD");
  for (const Setting::Shown& shown : setting.binds) offer(shown.target, "$BIND");
  offer(setting.home, "$HOME");
  return longest.empty() ? path : token + path.substr(longest.size());
}

rules::Rules rules_from(const Recording& recording, const std::string& name) {
  return Maker(recording, name).make();
}

}  // namespace rootlet::learn
