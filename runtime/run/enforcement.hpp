// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "runtime/os/control_group.hpp"
#include "runtime/run/limits.hpp"
#include "runtime/sandbox/plan.hpp"

namespace rootlet {

// What holds the limits of one run: control groups, resource limits of the
// tool's process, and the launcher's clock. Only the tool's tree is held: neither
// init nor the image server is in the groups.
class Enforcement {
 public:
  // Before anything is forked. A limit that nothing on this host holds is an
  // error, with `best_effort` a note.
  static Result<Enforcement> prepare(const Limits& limits, bool best_effort, uid_t uid,
                                     const sandbox::Ids& ids, std::vector<std::string>& notes);

  // What the tool's process is to take on.
  void add_to(sandbox::Plan& plan) const;

  // For the launcher's loop: how long it may wait (poll(2), -1: for ever), and
  // whether the run is to be ended now, with which wait status.
  int wait() const;
  std::optional<int> look(pid_t init);

  // The limits that a run with this end has met, by name. Of one that went
  // beyond its memory the kernel may have killed a part alone: whatever the rest
  // made of it, it ends as by SIGKILL.
  std::vector<std::string> met(int& wait_status) const;

  // The most memory that the tool's tree had, in bytes; 0 where its memory is not
  // limited, or nobody counts. memory.peak: Linux 5.19 (commit 8e20d4b332660a).
  std::uint64_t peak_memory() const;

 private:
  struct Group {
    os::Hierarchy hierarchy;
    os::ControlGroup group;
  };

  Status hold(std::string_view option, std::string_view controller);
  std::uint64_t sum(const std::string& file, std::string_view key) const;
  std::uint64_t out_of_memory() const;

  Limits limits_;
  std::string own_group_;
  std::vector<Group> groups_;
  bool processes_by_rlimit_ = false;
  bool memory_by_eye_ = false;
  std::uint64_t deadline_ = 0, next_look_ = 0;  // milliseconds of the monotonic clock
  std::string ended_by_;
};

}  // namespace rootlet
