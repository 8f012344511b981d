// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "runtime/base/result.hpp"

namespace rootlet::os {

// Gives up every capability but those of `kept` (bit N: capability N), as far
// as they are held: permitted, effective, inheritable and ambient sets
// (capabilities(7)). The bounding set stays; it counts for who executes
// something (sandbox/privileges.hpp).
Status keep_capabilities(std::uint64_t kept);

}  // namespace rootlet::os
