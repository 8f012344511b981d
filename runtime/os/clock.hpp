// SPDX-License-Identifier: MIT
#pragma once

#include <sys/time.h>
#include <time.h>

#include <cstdint>

namespace rootlet::os {

// Milliseconds of a clock that nobody sets.
inline std::uint64_t monotonic_time() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1000000;
}

inline std::int64_t milliseconds(const timeval& time) {
  return std::int64_t{time.tv_sec} * 1000 + time.tv_usec / 1000;
}

}  // namespace rootlet::os
