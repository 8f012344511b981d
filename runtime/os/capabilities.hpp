// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "runtime/base/result.hpp"

namespace rootlet::os {

// Gives up every capability but those of `kept` (bit N: capability N), as far
// as they are held, in a process that executes nothing any more: permitted,
// effective and inheritable sets; where it has the right to, the bounding set
// and the secure bits too (capabilities(7)).
Status keep_capabilities(std::uint64_t kept);

}  // namespace rootlet::os
