// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/image/server.hpp"
#include "runtime/os/process.hpp"
#include "runtime/sandbox/plan.hpp"

namespace rootlet::sandbox {

// The first process of a run, PID 1 inside: it builds the root, enters it,
// starts the tool and reaps what the tool leaves behind.
struct Init {
  pid_t pid = -1;
  os::Fd pidfd;
  os::Fd control;  // see control.hpp
};

// `image`: what to serve or unpack (null for a plain directory). `server`: the
// channel of the image server, -1 where there is none; `beside`: the processor
// that init shares with it while it asks.
Result<Init> start_init(const Plan& plan, image::Squashfs* image, int server,
                        const os::OneProcessor& beside);

}  // namespace rootlet::sandbox
