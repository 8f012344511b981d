// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/os/process.hpp"
#include "runtime/run/caller.hpp"
#include "runtime/run/options.hpp"
#include "runtime/sandbox/plan.hpp"

namespace rootlet {

// From net and veth to the network of a run. Looks at the host for the program
// that connects it, changes nothing.
Status choose_network(sandbox::Plan& plan, const Options& options, const Caller& caller);

// The resolv.conf of a run that a program connects: the host's, and what only
// the host itself reaches (127.0.0.53) by way of that program.
std::string resolver_text(const sandbox::Plan& plan, const std::string& host);

// What connects the network namespace of a run to the host's, from outside.
// None of it outlives the run, or the launcher.
class NetworkLink {
 public:
  // `init` is in the namespace, and waits. The number is for
  // sandbox::give_veth_address() inside.
  Result<int> make(const sandbox::Plan& plan, pid_t init);
  void end();

 private:
  Status start_program(const sandbox::Plan& plan, pid_t init);
  Status wait_until_ready(const sandbox::Plan& plan, int ready, int words) const;

  os::Child program_;
  os::Fd lifeline_;    // its end ends the program
  os::Fd words_;       // what it says; nobody reads it once it runs
  int interface_ = 0;  // the outer end of a veth pair
};

}  // namespace rootlet
