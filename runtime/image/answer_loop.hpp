// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/image/answers.hpp"
#include "runtime/os/affinity.hpp"

namespace rootlet::image {

// Answers the kernel's questions until the file system is unmounted, with as
// many threads as they keep busy. The first of them are answered on the
// processor `beside` the one who asks. Other threads may still run at the end:
// the caller ends the process.
void answer(fuse_session* session, Answers& answers, const os::OneProcessor& beside);

}  // namespace rootlet::image
