// SPDX-License-Identifier: MIT
#include "launcher/rules/merge.hpp"

#include <algorithm>
#include <iterator>

namespace rootlet::rules {
namespace {

bool has_run(const Rules& rules, const std::string& name) {
  return std::any_of(rules.runs.begin(), rules.runs.end(),
                     [&](const Run& run) { return run.name == name; });
}

void rename_run(Rules& rules, const std::string& from, const std::string& to) {
  const auto rename = [&](auto& entries) {
    for (auto& entry : entries) {
      std::replace(entry.evidence.runs.begin(), entry.evidence.runs.end(), from, to);
    }
  };
  rename(rules.system_calls);
  rename(rules.paths);
  rename(rules.programs);
  rename(rules.network);
  for (Run& run : rules.runs) {
    if (run.name == from) run.name = to;
  }
}

template <typename Entry>
void append(std::vector<Entry>& into, std::vector<Entry>& other) {
  into.insert(into.end(), std::make_move_iterator(other.begin()),
              std::make_move_iterator(other.end()));
}

}  // namespace

std::string free_name(const Rules& rules, const std::string& wanted) {
  if (!has_run(rules, wanted)) return wanted;
  for (int number = 2;; ++number) {
    const std::string name = wanted + "-" + std::to_string(number);
    if (!has_run(rules, name)) return name;
  }
}

void add_call(std::vector<SystemCall>& calls, SystemCall call) {
  for (SystemCall& kept : calls) {
    if (kept.name != call.name || kept.arguments.size() != call.arguments.size()) continue;
    if (call.arguments.empty()) return kept.evidence.add(call.evidence);
    const bool same =
        std::equal(kept.arguments.begin(), kept.arguments.end() - 1, call.arguments.begin());
    Condition& last = kept.arguments.back();
    const Condition& other = call.arguments.back();
    if (!same || last.index != other.index || !(last.mask == other.mask)) continue;
    for (const Value& value : other.values) {
      if (std::count(last.values.begin(), last.values.end(), value) == 0) {
        last.values.push_back(value);
      }
    }
    return kept.evidence.add(call.evidence);
  }
  calls.push_back(std::move(call));
}

void merge(Rules& into, Rules other) {
  const std::vector<Run> runs = other.runs;
  for (const Run& run : runs) {
    if (has_run(into, run.name)) rename_run(other, run.name, free_name(into, run.name));
  }
  append(into.runs, other.runs);
  for (SystemCall& call : other.system_calls) add_call(into.system_calls, std::move(call));
  append(into.paths, other.paths);
  append(into.programs, other.programs);
  append(into.network, other.network);
  into.normalise();
}

}  // namespace rootlet::rules
