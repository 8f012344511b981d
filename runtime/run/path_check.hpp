// SPDX-License-Identifier: MIT
#pragma once

#include <linux/seccomp.h>

#include <string>
#include <vector>

#include "runtime/os/fd.hpp"
#include "runtime/rules/rules.hpp"

namespace rootlet {

// What a call needs and the rules do not give.
struct PathNeed {
  std::string path;          // as the tool sees it, without links
  std::uint32_t access = 0;  // Rules::Access
};

// Says of a call that waits for an answer which file it means, and whether the
// rules allow that. For reports alone: the name can change before the kernel
// reads it.
class PathCheck {
 public:
  std::vector<PathNeed> look(const Rules& rules, const seccomp_notif& call);
  // The program that the run began with; its own process could not be looked into
  // then, and the next call says what it needs.
  void began_with(const std::string& program) { first_ = program; }

 private:
  bool find_root(const Rules& rules, std::uint32_t pid);
  void add_program(std::vector<PathNeed>& needs, const Rules& rules, std::string path) const;
  void add(std::vector<PathNeed>& needs, const Rules& rules, const std::string& path,
           std::uint32_t access) const;
  std::uint32_t granted(const Rules& rules, const std::string& path) const;
  void learn_paths(const Rules& rules);

  os::Fd root_;  // of the run
  std::string first_;
  std::vector<std::string> paths_;  // those of the rules, without links
};

// The first name among its arguments, quoted; empty where it has none.
std::string name_in(const seccomp_notif& call);

// The program of a process, as it is named inside.
std::string program_of(std::uint32_t pid);

}  // namespace rootlet
