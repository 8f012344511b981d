// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "packaging/janitor.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet::packaging {

// A file that appears under its name whole or not at all. Until publish() it
// has no name, so that nothing is left however we end, SIGKILL included. Where
// it needs one before (a filesystem without O_TMPFILE, or for a moment when it
// replaces another file) that is .rootlet-XXXXXX beside it, and a janitor
// removes it.
class OutputFile {
 public:
  static Result<OutputFile> create(const std::string& path);

  int fd() const { return file_.get(); }

  // Sets the mode, syncs, and gives the file its name, replacing another.
  Status publish(unsigned mode);

 private:
  OutputFile(os::Fd file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  Status take_name();
  Status watch_part();

  os::Fd file_;
  std::string path_;
  std::string part_;  // its name until now; empty: nameless
  Janitor janitor_;
};

// Refuses a FILE that exists and is nothing a build replaces: only an ELF
// program, a squashfs or an empty file is, unless forced. Said before hours of work.
Status check_replaceable(const std::string& path, bool force);

}  // namespace rootlet::packaging
