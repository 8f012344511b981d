// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/image/squashfs.hpp"
#include "runtime/sandbox/plan.hpp"
#include "runtime/sandbox/root.hpp"
#include "runtime/sandbox/tool.hpp"

namespace rootlet::sandbox {

// What init has at hand while it builds.
struct Links {
  image::Squashfs* image = nullptr;  // null: the root is a plain directory
  int server = -1;                   // channel of the image server
  int control = -1;                  // to the launcher
};

// Mounts the image (or directory) of the plan and everything that the plan
// shows in it. `cwd` becomes the directory in which the tool really starts.
Result<Root> build_root(const Plan& plan, const Links& links, const Tool& tool, std::string& cwd);

}  // namespace rootlet::sandbox
