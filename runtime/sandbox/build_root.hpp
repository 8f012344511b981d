// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "runtime/image/mount.hpp"
#include "runtime/os/affinity.hpp"
#include "runtime/sandbox/plan.hpp"
#include "runtime/sandbox/root.hpp"
#include "runtime/sandbox/tool.hpp"

namespace rootlet::sandbox {

// What init has at hand while it builds.
struct Links {
  const std::vector<image::Reached>& images;  // the root's first, unless that is a directory
  int control = -1;                           // to the launcher
  int errands = -1;                           // to the launcher, for what it does from outside
  const os::OneProcessor& beside;             // shared with the image servers
};

// A place whose source was opened while the host's files were in reach.
struct Opened {
  const Place* place = nullptr;
  os::Fd source;
  bool directory = true;
};

// Why a proc file system could not be mounted: `error` with the container's part in it.
Error explain_proc_failure(Error error);

// Builds the root in two steps: the first waits for the image server at every
// turn, the second has init alone to itself.
class RootBuilder {
 public:
  RootBuilder(const Plan& plan, const Links& links) : plan_(plan), links_(links) {}

  // The image (or directory) is mounted, and every place to show something at
  // exists in it. `cwd` becomes the directory in which the tool really starts.
  Status lay_out(std::string& cwd);

  // Everything that the plan shows is there. The builder is empty afterwards.
  Result<Root> furnish(const Tool& tool);

 private:
  void leave_out_hiding(std::string& cwd);
  Status make_places(const Opened* inside_of);
  Status attach(const Opened& item);
  Status show(const Opened& item);
  Status show_all();

  const Plan& plan_;
  const Links& links_;
  std::vector<Opened> opened_;
  std::optional<Root> root_;
};

}  // namespace rootlet::sandbox
