// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/image/squashfs.hpp"
#include "runtime/sandbox/plan.hpp"
#include "runtime/sandbox/root.hpp"

namespace rootlet::sandbox {

// Mounts the image (or directory) of the plan and everything that the plan
// shows in it. `cwd` becomes the directory in which the tool really starts.
Result<Root> build_root(const Plan& plan, image::Squashfs* image, int server, int control,
                        std::string& cwd);

}  // namespace rootlet::sandbox
