// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "packaging/janitor.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/run/private_directory.hpp"

namespace rootlet::packaging {

// A scratch file without a name, in TMPDIR, else /var/tmp: nothing is left
// however we end.
Result<os::Fd> open_scratch_file();

// A private directory for what has to lie in one while it is made: an
// installed root, a mounted tree. In TMPDIR, else /var/tmp. Its janitor
// removes it; should that be killed too, the next build or run does.
class ScratchDirectory {
 public:
  static Result<std::shared_ptr<ScratchDirectory>> make();

  explicit ScratchDirectory(PrivateDirectory directory) : directory_(std::move(directory)) {}
  const std::string& path() const { return directory_.path(); }

 private:
  PrivateDirectory directory_;
  Janitor janitor_;
};

}  // namespace rootlet::packaging
