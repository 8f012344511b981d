// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/os/fd.hpp"

namespace rootlet::os {

// The hierarchy of control groups that has a controller, and where in it a
// process is: cgroups(7).
struct Hierarchy {
  bool unified = false;   // version 2, one for all controllers
  std::string directory;  // of the process's group
  bool operator==(const Hierarchy&) const = default;
};

// `group` is the text of /proc/PID/cgroup, `mounts` that of
// /proc/self/mountinfo. Nothing where the controller is not to be seen.
std::optional<Hierarchy> find_hierarchy(std::string_view controller, std::string_view group,
                                        std::string_view mounts);

// A control group of our own below the caller's, for as long as this lives. One
// that a killed launcher left is empty, and whoever makes the next removes it.
class ControlGroup {
 public:
  // With these controllers ("memory", ...), as far as the caller's group has them.
  static Result<ControlGroup> make(const Hierarchy& hierarchy,
                                   const std::vector<std::string>& controllers);
  ControlGroup(ControlGroup&&) = default;
  ControlGroup& operator=(ControlGroup&&) = delete;
  ~ControlGroup();

  bool unified() const { return unified_; }
  Status set(const std::string& file, std::uint64_t value) const;
  Status set(const std::string& file, const std::string& value) const;
  // The number behind `key` in a file of the group, or, without one, the file's
  // only number; 0 where there is none.
  std::uint64_t read(const std::string& file, std::string_view key) const;
  // Open for writing: who writes "0" to it is in the group.
  int door() const { return door_.get(); }

 private:
  ControlGroup() = default;
  Status enable(const std::string& parent, const std::vector<std::string>& controllers,
                const std::string& aside);

  bool unified_ = false;
  std::string parent_, path_;
  std::string aside_;    // where the launcher went to make room
  std::string enabled_;  // what it then enabled in its own group
  Fd held_, held_aside_;
  Fd door_;
};

}  // namespace rootlet::os
