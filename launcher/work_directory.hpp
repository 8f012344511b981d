// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <string>

#include "runtime/os/fd.hpp"

namespace rootlet {

// A private directory beside a file, for programs that need names to write to.
// It goes with its owner: a process of its own waits for our end, SIGKILL
// included, and removes it. Where that one is killed too, the next one for the
// same file removes what nobody holds.
class WorkDirectory {
 public:
  static Result<WorkDirectory> beside(const std::string& file);
  WorkDirectory(WorkDirectory&& other) noexcept;
  WorkDirectory& operator=(WorkDirectory&&) = delete;
  ~WorkDirectory();

  const std::string& path() const { return path_; }

 private:
  WorkDirectory() = default;

  std::string path_;
  os::Fd held_;   // the directory, locked
  os::Fd alive_;  // our end of the pipe that the cleaner waits for
  pid_t cleaner_ = -1;
};

}  // namespace rootlet
