// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/os/fd.hpp"

namespace rootlet::image {

// How many bytes of an image's file its reader has read: a number in memory
// that has a descriptor. The reader adds to it, the runs that it serves look at it.
os::Fd make_tally();

// From here on this process adds what it reads. Without a tally, or without
// memory for it, nothing is counted.
void count_into(const os::Fd& tally);
void count_read(std::uint64_t bytes);

// What it is now; nothing where it cannot be read.
std::optional<std::uint64_t> look_at(int tally);

}  // namespace rootlet::image
