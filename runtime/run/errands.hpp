// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/run/caller.hpp"
#include "runtime/run/network.hpp"
#include "runtime/sandbox/control.hpp"
#include "runtime/sandbox/plan.hpp"

namespace rootlet {

// What the launcher does for init while init waits: steps that the kernel takes
// only from outside of the new namespaces.
class Errands {
 public:
  Errands(const sandbox::Plan& plan, const Caller& caller) : plan_(&plan), caller_(&caller) {}

  // With a number for init, where one comes of it.
  Result<int> run(sandbox::Errand what, pid_t init);
  // What they have made goes; after init.
  void end() { link_.end(); }

 private:
  const sandbox::Plan* plan_;
  const Caller* caller_;
  NetworkLink link_;
};

}  // namespace rootlet
