// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/base/result.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet {

// The file of a run's record. Whoever looks finds a whole one: that of the start
// until that of the end takes its place, and nothing else beside it.
class RecordFile {
 public:
  // `where`: a file, new or a record already; or a directory, in which the
  // record gets the name `fresh`. "~/" is the caller's home; a directory that is
  // named with a slash at its end is made.
  Status open(const std::string& where, const std::string& fresh, const std::string& home);
  bool is_open() const { return directory_.valid(); }

  Status write(const std::string& text) const;
  const std::string& path() const { return path_; }

 private:
  std::string path_, name_;
  os::Fd directory_;  // held: what the tool makes of its name meanwhile is no matter
};

}  // namespace rootlet
