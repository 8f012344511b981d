// SPDX-License-Identifier: MIT
#include "runtime/run/enforcement.hpp"

#include <sys/utsname.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "runtime/base/option_text.hpp"
#include "runtime/os/clock.hpp"
#include "runtime/os/process_tree.hpp"

namespace rootlet {
namespace {

constexpr std::uint64_t kTick = 100;  // ms between two looks at the memory

std::uint64_t now() { return os::monotonic_time(); }

std::string text_of(const char* path) {
  auto text = os::read_file(AT_FDCWD, path, 1u << 20);
  return text.ok() ? std::move(text).value() : std::string();
}

// RLIMIT_NPROC counts the processes of a user in one user namespace, and a run
// has one of its own; before Linux 5.14 (commit 21d1c5e386bc) it counted all of
// the user's on the host. Nobody counts those of the host's uid 0 (setrlimit(2)).
// With several ids inside it would count each of them alone.
bool rlimit_counts_a_run(uid_t uid, const sandbox::Ids& ids) {
  if (uid == 0 || ids.many()) return false;
  utsname system{};
  ::uname(&system);
  char* rest = nullptr;
  const unsigned long major = std::strtoul(system.release, &rest, 10);
  const unsigned long minor = *rest == '.' ? std::strtoul(rest + 1, nullptr, 10) : 0;
  return major > 5 || (major == 5 && minor >= 14);
}

struct Setting {
  std::string_view option, controller;
};
constexpr Setting kSettings[] = {{"memory", "memory"}, {"pids", "pids"}, {"cpus", "cpu"}};

bool asked(const Limits& limits, std::string_view option) {
  return option == "memory" ? limits.memory.has_value()
         : option == "pids" ? limits.pids.has_value()
                            : limits.cpus.has_value();
}

// Writes one limit to a group. What comes after the first line may be missing:
// swap accounting, and the kernel's own end of the whole group (Linux 4.19).
Status write_limit(const os::ControlGroup& group, std::string_view option, const Limits& limits) {
  if (option == "pids") return group.set("pids.max", *limits.pids);
  if (option == "cpus") {
    constexpr std::uint64_t kPeriod = 100000;  // microseconds, the kernel's default
    const std::uint64_t quota = std::max<std::uint64_t>(*limits.cpus * kPeriod / 1000, 1000);
    if (!group.unified()) return group.set("cpu.cfs_quota_us", quota);
    return group.set("cpu.max", std::to_string(quota) + " " + std::to_string(kPeriod));
  }
  TRY(group.set(group.unified() ? "memory.max" : "memory.limit_in_bytes", *limits.memory));
  if (group.unified()) {
    (void)group.set("memory.swap.max", 0);
    (void)group.set("memory.oom.group", 1);
  } else {
    (void)group.set("memory.memsw.limit_in_bytes", *limits.memory);
  }
  return Done{};
}

Error explain(Error error, const Limits& limits, std::string_view option, uid_t uid) {
  error.action = "limit the run";
  error.subject = limit_text(limits, option).value_or("");
  const bool unified = text_of("/proc/self/cgroup").find("\n0::") != std::string::npos ||
                       text_of("/proc/self/cgroup").starts_with("0::");
  if (error.code == EBUSY) {
    error.reason = "other processes are in this one's control group";
  } else if (error.code != 0) {
    error.reason = "this process may not make a control group that limits it";
  }
  error.hint = unified ? std::string("start it in a group of its own: systemd-run ") +
                             (uid == 0 ? "" : "--user ") + "--scope -p Delegate=yes FILE ..."
                       : "start it as root, or where control groups are delegated";
  error.hint += "; or " + option_text("best-effort");
  return error;
}

}  // namespace

Result<Enforcement> Enforcement::prepare(const Limits& limits, bool best_effort, uid_t uid,
                                         const sandbox::Ids& ids, std::vector<std::string>& notes) {
  Enforcement made;
  made.limits_ = limits;
  if (limits.timeout) made.deadline_ = now() + *limits.timeout;
  if (limits.memory) made.next_look_ = now() + kTick;
  for (const Setting& setting : kSettings) {
    if (!asked(limits, setting.option)) continue;
    auto held = made.hold(setting.option, setting.controller);
    if (held.ok()) continue;
    if (setting.option == "pids" && rlimit_counts_a_run(uid, ids)) {
      made.processes_by_rlimit_ = true;
      continue;
    }
    Error error = explain(std::move(held).error(), limits, setting.option, uid);
    if (!best_effort) return error;
    made.memory_by_eye_ = made.memory_by_eye_ || setting.option == "memory";
    notes.push_back("best effort: " + error.subject + ": " +
                    (setting.option == "memory" ? "watched, not enforced" : "not enforced") + ": " +
                    error.reason);
  }
  return made;
}

// In the group of its hierarchy, made when the first limit needs it.
Status Enforcement::hold(std::string_view option, std::string_view controller) {
  // Once: the first limit may move us.
  if (own_group_.empty()) own_group_ = text_of("/proc/self/cgroup");
  const auto hierarchy =
      os::find_hierarchy(controller, own_group_, text_of("/proc/self/mountinfo"));
  if (!hierarchy) {
    return plain_error("", "", "no control group that could is to be seen here");
  }
  auto group = std::find_if(groups_.begin(), groups_.end(),
                            [&](const Group& g) { return g.hierarchy == *hierarchy; });
  if (group == groups_.end()) {
    std::vector<std::string> controllers;
    for (const Setting& setting : kSettings) {
      if (asked(limits_, setting.option)) controllers.emplace_back(setting.controller);
    }
    auto made = TRY(os::ControlGroup::make(*hierarchy, controllers));
    groups_.push_back({*hierarchy, std::move(made)});
    group = groups_.end() - 1;
  }
  return write_limit(group->group, option, limits_);
}

void Enforcement::add_to(sandbox::Plan& plan) const {
  for (const Group& group : groups_) plan.groups.push_back(group.group.door());
  plan.file_size = limits_.file_size;
  if (processes_by_rlimit_) plan.processes = *limits_.pids + 1;  // and init
}

int Enforcement::wait() const {
  std::uint64_t until = deadline_;
  if (next_look_ != 0) until = until == 0 ? next_look_ : std::min(until, next_look_);
  if (until == 0) return -1;
  const std::uint64_t time = now();
  // Rounded up, and no longer than an int can say.
  return until <= time ? 0 : static_cast<int>(std::min<std::uint64_t>(until - time, 1u << 30));
}

std::optional<int> Enforcement::look(pid_t init) {
  const std::uint64_t time = now();
  if (deadline_ != 0 && time >= deadline_) {
    ended_by_ = "timeout";
    return 124 << 8;
  }
  if (next_look_ == 0 || time < next_look_) return {};
  next_look_ = time + kTick;
  std::uint64_t used = 0;
  if (memory_by_eye_) {
    for (const auto& process : os::processes_below(init))
      used += os::proportional_memory(process.pid);
  }
  // The kernel kills one process where it cannot kill a group: what is left of a
  // run is of no use, and would go on with a part missing.
  if (used <= limits_.memory.value_or(0) && out_of_memory() == 0) return {};
  ended_by_ = "memory";
  return SIGKILL;
}

std::uint64_t Enforcement::sum(const std::string& file, std::string_view key) const {
  std::uint64_t total = 0;
  for (const Group& group : groups_) total += group.group.read(file, key);
  return total;
}

// How many processes the kernel has killed for want of memory in our groups.
// (oom_kill in version 1: Linux 4.13.)
std::uint64_t Enforcement::out_of_memory() const {
  return sum("memory.events", "oom_kill") + sum("memory.oom_control", "oom_kill");
}

std::uint64_t Enforcement::peak_memory() const {
  return sum("memory.peak", "") + sum("memory.max_usage_in_bytes", "");
}

std::vector<std::string> Enforcement::met(int& wait_status) const {
  std::vector<std::string> names;
  if (!ended_by_.empty()) names.push_back(ended_by_);
  if (ended_by_ != "memory" && out_of_memory() > 0) {
    names.emplace_back("memory");
    wait_status = SIGKILL;
  }
  // A shell reports the death of what it ran as 128 + the signal.
  const bool by_size = (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGXFSZ) ||
                       (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 128 + SIGXFSZ);
  if (limits_.file_size && by_size) names.emplace_back("file-size");
  if (sum("pids.events", "max") > 0) names.emplace_back("pids");
  return names;
}

}  // namespace rootlet
