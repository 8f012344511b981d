// SPDX-License-Identifier: MIT
#pragma once

#include <sched.h>

namespace rootlet::os {

// Keeps a process on one processor for a while. Two that wait for each other's
// every answer are quickest on the same one: on two, each answer has to wake
// an idle processor, 30 to 50 us in a virtual machine. Nothing depends on it,
// so a failure is ignored.
class OneProcessor {
 public:
  // The processor that the caller runs on now.
  OneProcessor();
  // Puts the calling process there.
  void join() const;
  // Back to all that were allowed before.
  void leave() const;

 private:
  cpu_set_t before_{};
  cpu_set_t one_{};
  bool known_ = false;
};

}  // namespace rootlet::os
