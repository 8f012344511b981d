// SPDX-License-Identifier: MIT
#include "launcher/rules/replay.hpp"

#include <algorithm>

#include "launcher/rules/lines.hpp"
#include "runtime/run/paths.hpp"

namespace rootlet::rules {
namespace {

// Each value that is needed is one that is allowed, under a mask that sees no more.
bool allows(const Condition& allowed, const Condition& needed) {
  if (allowed.index != needed.index || (allowed.mask.number & ~needed.mask.number) != 0)
    return false;
  return std::all_of(needed.values.begin(), needed.values.end(), [&](const Value& value) {
    return std::any_of(allowed.values.begin(), allowed.values.end(), [&](const Value& one) {
      return one.number == (value.number & allowed.mask.number);
    });
  });
}

bool allows(const SystemCall& allowed, const SystemCall& needed) {
  if (allowed.name != needed.name) return false;
  return std::all_of(
      allowed.arguments.begin(), allowed.arguments.end(), [&](const Condition& condition) {
        return std::any_of(needed.arguments.begin(), needed.arguments.end(),
                           [&](const Condition& other) { return allows(condition, other); });
      });
}

// One call for each value of the last condition: each may be allowed by another entry.
std::vector<SystemCall> one_by_one(const SystemCall& call) {
  if (call.arguments.empty()) return {call};
  std::vector<SystemCall> calls;
  for (const Value& value : call.arguments.back().values) {
    calls.push_back(call);
    calls.back().arguments.back().values = {value};
  }
  return calls;
}

// What every run may do, whatever its rules say.
bool always_allowed(const std::string& name) {
  constexpr const char* kAlways[] = {
      "execve",        "exit",         "exit_group", "rt_sigreturn", "restart_syscall",
      "clock_gettime", "gettimeofday", "time",       "getcpu"};
  return std::any_of(std::begin(kAlways), std::end(kAlways),
                     [&](const char* one) { return name == one; });
}

bool covers(const std::string& path, bool below, const std::string& wanted) {
  return below ? is_below(wanted, path) : wanted == path;
}

// The accesses that no entry gives; several entries may each give some.
Path missing_of(const Rules& rules, const Path& needed) {
  Path missing = needed;
  for (const Path& path : rules.paths) {
    if (!covers(path.path, path.below, needed.path)) continue;
    for (const Access access : path.access) missing.access.erase(access);
  }
  return missing;
}

bool allows(const Network& allowed, const Network& needed) {
  return allowed.direction == needed.direction && allowed.family == needed.family &&
         allowed.type == needed.type && allowed.address == needed.address &&
         (!allowed.port || allowed.port == needed.port);
}

template <typename Entry, typename Allows>
bool any(const std::vector<Entry>& entries, Allows allows) {
  return std::any_of(entries.begin(), entries.end(), allows);
}

}  // namespace

std::vector<Refusal> refusals(const Rules& rules, const Rules& needed) {
  std::vector<Refusal> found;
  const auto refuse = [&](const auto& entry) {
    found.push_back({words_of(entry), line_of(entry), entry.evidence.count});
  };
  for (const SystemCall& whole : needed.system_calls) {
    if (always_allowed(whole.name)) continue;
    for (const SystemCall& call : one_by_one(whole)) {
      if (!any(rules.system_calls, [&](const SystemCall& one) { return allows(one, call); })) {
        refuse(call);
      }
    }
  }
  for (const Path& path : needed.paths) {
    const Path missing = missing_of(rules, path);
    if (!missing.access.empty()) refuse(missing);
  }
  for (const Program& program : needed.programs) {
    if (!any(rules.programs,
             [&](const Program& one) { return covers(one.path, one.below, program.path); })) {
      refuse(program);
    }
  }
  for (const Network& network : needed.network) {
    if (!any(rules.network, [&](const Network& one) { return allows(one, network); })) {
      refuse(network);
    }
  }
  return found;
}

}  // namespace rootlet::rules
