// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/base/result.hpp"

namespace rootlet::image {

// Leaves the calling process the few system calls that an image server needs:
// take the descriptor, read, answer, memory, give up. Any other ends it. An image made to break the
// decoder gets no file, process or socket.
Status confine_server();

}  // namespace rootlet::image
