// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include "launcher/learn/recording.hpp"
#include "launcher/learn/watch_filter.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/os/process.hpp"
#include "runtime/sandbox/plan.hpp"

namespace rootlet::learn {

// The process that answers the tool's calls while it runs, and writes down what it
// sees. A child of the launcher, outside of the run: the tool cannot name it. It ends
// with the launcher, and with it all that it saw.
class Watcher {
 public:
  // Forks it, and has the plan's tool stop for it.
  // `list`: the image's files are wanted as well.
  static Result<Watcher> start(sandbox::Plan& plan, Recording recording, Detail detail, bool list);

  // When the run is over: what was seen. An error if the watcher came to an end before.
  Result<Recording> finish();

 private:
  os::Child process_;
  os::Fd memory_;  // where it writes, when all is over
};

}  // namespace rootlet::learn
