// SPDX-License-Identifier: MIT
#pragma once

#include <linux/seccomp.h>

#include <optional>
#include <string>
#include <vector>

#include "runtime/os/fd.hpp"
#include "runtime/run/path_check.hpp"
#include "runtime/sandbox/plan.hpp"

namespace rootlet {

// What the rules of a run refuse, heard by the launcher and told in plain words,
// each kind once: on stderr, and to who watches the run's status. Calls that the
// rules allow are not heard, and cost nothing.
class Refusals {
 public:
  // Before anything is forked; gives the plan its door.
  static Result<Refusals> prepare(sandbox::Plan& plan);
  // The other end of the door is init's and the tool's now.
  void started() { theirs_.reset(); }

  // For poll(2); -1: nothing is to be heard.
  int fd() const { return listener_.valid() ? listener_.get() : door_.get(); }
  // Something is. A wait status: the run is to be ended with it.
  std::optional<int> hear(short events);
  // How often it was refused what was told already.
  void sum_up() const;

 private:
  struct Kind {
    std::uint32_t number;
    std::string what;
    std::uint64_t count = 0;
  };

  void take_listener();
  std::optional<int> judge(const seccomp_notif& call);
  bool is_new(std::uint32_t number, const std::string& what);
  void tell_call(const Rules& rules, const seccomp_notif& call);
  void tell_path(const Rules& rules, const seccomp_notif& call, const PathNeed& need);
  void tell(const Rules& rules, const seccomp_notif& call, const std::string& what,
            const std::string& allow);
  void answer(std::uint64_t id, int error, bool go_on) const;

  const std::vector<Rules>* rules_ = nullptr;
  bool told_paths_ = false;
  os::Fd door_, theirs_, listener_, kept_;
  std::vector<PathCheck> paths_;  // one for each file of rules
  std::vector<Kind> kinds_;
};

}  // namespace rootlet
