// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <optional>

namespace rootlet::learn {

// What a call returns that now waits for the watcher's word. The thread is traced from
// before it goes on until the call is over, and let go: a stop like that of a signal
// that is never delivered. A call that would wait is broken off and begins anew.
class ReturnValue {
 public:
  // Before it goes on. What is traced already, or may not be, stays untouched.
  explicit ReturnValue(pid_t tid);
  // Once it goes on: waits for its end.
  std::optional<long> wait() &&;

 private:
  pid_t tid_ = -1;
};

}  // namespace rootlet::learn
