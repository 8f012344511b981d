// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/base/result.hpp"

namespace rootlet::sandbox {

// Brings up loopback in a new network namespace, where it starts down: a tool
// that talks to itself over 127.0.0.1 (MPI, R's parallel) needs it.
Status raise_loopback();

}  // namespace rootlet::sandbox
