// SPDX-License-Identifier: MIT
#include "runtime/run/option_rows.hpp"

// What the tool may call, how much it may take, how long it may run.
namespace rootlet {
namespace {

constexpr std::array<std::pair<std::string_view, bool>, 2> kSeccomp{
    {{"default", true}, {"none", false}}};

// A file is told from a mistyped word by its slash.
Status set_seccomp(Options& options, const std::string& value) {
  if (value.find('/') == std::string::npos) {
    return set_word(options.seccomp, "seccomp", value, kSeccomp);
  }
  options.filter_files.push_back(value);
  return Done{};
}

// They add up; "none" does without those that the image brings.
Status set_rules(Options& options, const std::string& value) {
  options.no_rules = value == "none";
  if (options.no_rules) {
    options.rules.clear();
    return Done{};
  }
  return add_path(options.rules, "rules", value);
}

using O = Options;
using V = const std::string;

constexpr OptionRow kRows[] = {
    {"seccomp", "default|none|./FILE", "the system-call filter; a FILE adds one to it",
     set_seccomp},
    {"rules", "FILE|none", "what learned rules allow, and nothing else", set_rules, true},
    {"memory", "SIZE[k|m|g]", "the memory of the run; what goes beyond ends it",
     [](O& o, V& v) { return lower_limit(o.limits, "memory", v); }},
    {"cpus", "NUMBER", "the processors' time, as 2 or 0.5",
     [](O& o, V& v) { return lower_limit(o.limits, "cpus", v); }},
    {"pids", "NUMBER", "processes and threads at a time",
     [](O& o, V& v) { return lower_limit(o.limits, "pids", v); }},
    {"file-size", "SIZE[k|m|g]", "the size of a file that is written",
     [](O& o, V& v) { return lower_limit(o.limits, "file-size", v); }},
    {"timeout", "SECONDS[m|h|d]", "ends the run, with 124, when it has lasted so long",
     [](O& o, V& v) { return lower_limit(o.limits, "timeout", v); }},
};

}  // namespace

std::span<const OptionRow> options_of_limits() { return kRows; }

}  // namespace rootlet
