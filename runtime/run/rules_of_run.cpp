// SPDX-License-Identifier: MIT
#include "runtime/run/rules_of_run.hpp"

#include <sys/mman.h>

#include "runtime/base/text.hpp"

#include "runtime/run/paths.hpp"
#include "runtime/sandbox/landlock.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kEnforce = "enforce the rules";

// What one of the names at the front of a path stands for.
std::vector<std::string> places_of(const sandbox::Plan& plan, std::string_view name) {
  std::vector<std::string> all;
  if (name == "$CWD") all.push_back(plan.cwd);
  if (name == "$HOME") {
    for (const std::string& variable : plan.env) {
      if (variable.starts_with("HOME=")) all.push_back(variable.substr(5));
    }
  }
  if (name == "$BIND") {
    for (const sandbox::Place& place : plan.places) {
      const bool asked = place.kind == sandbox::Place::Kind::bind && !place.optional;
      if (asked && !is_below(place.target, "/dev")) all.push_back(place.target);
    }
  }
  return all;
}

// Directories of processes come and go, and a tool may look at its own: of /proc
// the whole, which is the run's own processes.
bool of_a_process(const std::string& path) {
  if (!path.starts_with("/proc/")) return false;
  const char c = path[6];
  return (c >= '0' && c <= '9') || path.compare(6, 4, "self") == 0 ||
         path.compare(6, 3, "PID") == 0 || path.compare(6, 11, "thread-self") == 0;
}

// A lack that only best-effort lets pass.
Status lacks(const Rules& rules, const Options& options, std::vector<std::string>& notes,
             const std::string& reason) {
  if (!options.best_effort) {
    return plain_error(kEnforce, rules.name, reason,
                       option_text("best-effort") + " enforces the rest");
  }
  notes.push_back("best effort: " + rules.name + ": " + reason);
  return Done{};
}

Status check_kernel(sandbox::Plan& plan, const Rules& rules, const Options& options,
                    std::vector<std::string>& notes) {
  if (rules.action == Rules::Action::log) return Done{};
  const int version = sandbox::landlock_version();
  if (version == 0) {
    return lacks(
        rules, options, notes,
        "paths and programs need Landlock (Linux 5.13), which this kernel has not in force");
  }
  if (version >= sandbox::kLandlockPorts) return Done{};
  // A network of its own reaches nothing, and holds what ports cannot.
  if (rules.ports.empty()) {
    plan.own_network = true;
    plan.wiring = sandbox::Wiring::none;
  } else if (!plan.own_network || plan.wiring != sandbox::Wiring::none) {
    return lacks(rules, options, notes, "ports need Landlock's version 4 (Linux 6.7)");
  }
  return Done{};
}

// In words, for those who read a plan.
enum When : unsigned {
  kAlways = 0,
  kExecutes = Rules::execute,
  kNames = Rules::create | Rules::remove,
  kLists = Rules::list,
  kAddresses = 256,
  kOther = 512,
  kKills = 1024,
  kRefuses = 2048,
  kOldLandlock = 4096
};
struct Lack {
  unsigned when;  // one of these
  const char* text;
};
constexpr Lack kLacks[] = {
    {kRefuses, "the errno of paths, programs and ports: always EACCES"},
    {kKills, "killing for paths, programs and ports: they are refused"},
    {kAlways,
     "metadata: names, sizes and owners of all files can be asked for, and what changes them is "
     "held by its system call alone"},
    {kAlways, "the arguments of programs, and what an interpreter is told to run"},
    {kExecutes,
     "programs started through a loader that may be executed: it takes what may be read"},
    {kNames, "the names of what is created and deleted: all of the directory, and below it"},
    {kLists, "list for one directory alone: those below it, too"},
    {kAddresses, "addresses: only ports of TCP are held"},
    {kOther, "ports of UDP, and sockets by their path: families and types are held"},
    {kOldLandlock,
     "shortening files by name: this kernel's Landlock cannot, and it is refused altogether"},
};

}  // namespace

std::vector<std::string> not_enforced(const Rules& rules) {
  std::vector<std::string> list;
  unsigned is = 0;
  for (const Rules::Path& path : rules.paths) is |= path.access;
  if (rules.addresses) is |= kAddresses;
  if (rules.other_network) is |= kOther;
  if (rules.action == Rules::Action::kill) is |= kKills;
  if (rules.action != Rules::Action::log) is |= kRefuses;
  const int version = sandbox::landlock_version();
  if (version > 0 && version < sandbox::kLandlockTruncates) is |= kOldLandlock;
  for (const Lack& lack : kLacks) {
    if (lack.when == kAlways || (is & lack.when) != 0) list.emplace_back(lack.text);
  }
  return list;
}

Status fill_in(const sandbox::Plan& plan, Rules& rules) {
  std::vector<Rules::Path> whole;
  for (Rules::Path& path : rules.paths) {
    if (path.path[0] != '$') {
      if (of_a_process(path.path)) path = {"/proc", true, path.access};
      whole.push_back(std::move(path));
      continue;
    }
    const std::size_t slash = std::min(path.path.find('/'), path.path.size());
    const std::string_view name = std::string_view(path.path).substr(0, slash);
    if (name != "$CWD" && name != "$HOME" && name != "$BIND") {
      return plain_error(kEnforce, path.path, "its first part is none of $CWD, $HOME and $BIND",
                         "correct it in " + rules.name);
    }
    for (const std::string& place : places_of(plan, name)) {
      const std::string rest = path.path.substr(slash);
      whole.push_back(
          {place == "/" && !rest.empty() ? rest : place + rest, path.below, path.access});
    }
  }
  rules.paths = std::move(whole);
  return Done{};
}

Status choose_rules(sandbox::Plan& plan, const Options& options, const Policy& policy,
                    std::vector<std::string>& notes) {
  if (!policy.rules.empty() && !options.no_rules) {
    plan.rules.push_back(TRY(parse_rules(policy.rules, "the image's rules")));
  }
  for (const std::string& file : options.rules) plan.rules.push_back(TRY(read_rules(file)));
  for (Rules& rules : plan.rules) {
    TRY(fill_in(plan, rules));
    TRY(check_kernel(plan, rules, options, notes));
    for (std::string& lack : not_enforced(rules)) plan.not_enforced.push_back(std::move(lack));
    if (rules.action == Rules::Action::log) plan.tell_paths = true;
  }
  if (options.verbose && !plan.rules.empty()) plan.tell_paths = true;
  return Done{};
}

// Texts that end in NUL: of directory, home and binds each "NAME" and what it
// stands for, then of each file its name and its text.
Result<os::Fd> keep_rules(const sandbox::Plan& plan) {
  os::Fd memory(::memfd_create(kKeptRules, MFD_CLOEXEC));
  if (!memory.valid()) return last_error(kEnforce, "memory");
  std::string kept;
  const std::string_view end("", 1);
  for (const char* name : {"$CWD", "$HOME", "$BIND"}) {
    for (const std::string& place : places_of(plan, name)) {
      kept += join({name, end, place, end});
    }
  }
  for (const Rules& rules : plan.rules) kept += join({rules.name, end, rules.text, end});
  TRY(os::write_all(memory.get(), kept, kEnforce));
  return memory;
}

}  // namespace rootlet
