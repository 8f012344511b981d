// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/base/result.hpp"

namespace rootlet::sandbox {

// Speaks for a process that is about to put itself under a filter of which
// nobody knows what it leaves: a second process with the same memory and
// descriptors, from before the filter. It ends when the first one has executed
// its program, or has ended; init reaps it.
class Spokesman {
 public:
  // `speak` runs in it, each millisecond at least, and a last time, with `gone`,
  // when the first process has left this memory. Until then the memory is two
  // processes': the first may only store, execute and end.
  using Speech = void (*)(void* subject, bool gone);
  Status start(Speech speak, void* subject);

 private:
  static int listen_and_speak(void* self);

  Speech speak_ = nullptr;
  void* subject_ = nullptr;
  int waiting_ = 1;  // the kernel clears it, and wakes us
};

}  // namespace rootlet::sandbox
