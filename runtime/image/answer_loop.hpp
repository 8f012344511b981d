// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/os/affinity.hpp"

struct fuse_session;

namespace rootlet::image {

// Answers the kernel's questions until the file system is unmounted. The first
// of them are answered on the processor `beside` the one who asks.
void answer(fuse_session* session, const os::OneProcessor& beside);

}  // namespace rootlet::image
