// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <functional>

#include "runtime/os/fd.hpp"

namespace rootlet::packaging {

// A process of ours that waits for the end of this one, or of this object,
// and then removes what was made on the host. So SIGKILL leaves nothing
// either; SIGINT, SIGTERM and SIGHUP wait for it before they end us.
class Janitor {
 public:
  // `clean` runs in the other process, once, with no signal to disturb it.
  // Call it before threads exist.
  static Result<Janitor> watch(const std::function<void()>& clean);

  Janitor() = default;
  Janitor(Janitor&& other) noexcept;
  Janitor& operator=(Janitor&& other) noexcept;
  ~Janitor() { dismiss(); }

  // Has it clean now, and waits until that is done.
  void dismiss();

 private:
  os::Fd life_;  // the only end to write to: closed by our end, however we end
  pid_t pid_ = -1;
};

// The process group that a signal ends before the janitors clean: whatever
// still writes into what they remove. 0: none.
void set_group_to_end(pid_t group);

}  // namespace rootlet::packaging
