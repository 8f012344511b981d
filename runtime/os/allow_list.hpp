// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "runtime/base/result.hpp"

namespace rootlet::os {

// A system call that is allowed while none of the bits is set in its argument.
struct GuardedCall {
  long number;
  int argument;  // 0 to 5; -1: it never is
  std::uint32_t forbidden;
  std::uint32_t error = 0;  // what is answered else; 0: the process ends
};

enum class Threads {
  none,
  allowed
};

// From here on any system call of this process but these ends it (seccomp(2)).
// Memory can always be had, but none that can be executed. Needs no_new_privs.
Status allow_only(std::span<const long> calls, std::span<const GuardedCall> guarded,
                  Threads threads);

}  // namespace rootlet::os
