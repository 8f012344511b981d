// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/image/mount.hpp"
#include "runtime/os/process.hpp"
#include "runtime/sandbox/plan.hpp"

namespace rootlet::sandbox {

// The first process of a run, PID 1 inside: it builds the root, enters it,
// starts the tool and reaps what the tool leaves behind.
struct Init {
  pid_t pid = -1;
  os::Fd pidfd;
  os::Fd control;  // see control.hpp
  os::Fd errands;  // the same; only where the plan needs them
};

// `images`: those of the run, the root's first (unless the root is a plain
// directory). `beside`: the processor that init shares with their servers while
// it asks.
Result<Init> start_init(const Plan& plan, const std::vector<image::Reached>& images,
                        const os::OneProcessor& beside);

}  // namespace rootlet::sandbox
