// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/os/fd.hpp"

namespace rootlet::packaging {

// A file that appears under its name whole or not at all. Until publish() it
// has no name, so that nothing is left however we end, SIGKILL included; on a
// filesystem without O_TMPFILE it is called NAME.part, which SIGINT, SIGTERM
// and SIGHUP remove (SIGKILL cannot, the next build does).
class OutputFile {
 public:
  static Result<OutputFile> create(const std::string& path);
  OutputFile(OutputFile&& other) noexcept = default;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  int fd() const { return file_.get(); }

  // Sets the mode, syncs, and gives the file its name, replacing another.
  Status publish(unsigned mode);

 private:
  OutputFile(os::Fd file, std::string path, std::string part)
      : file_(std::move(file)), path_(std::move(path)), part_(std::move(part)) {}

  os::Fd file_;
  std::string path_;
  std::string part_;  // empty: nameless
};

// Refuses a FILE that exists and is nothing a build replaces: only an ELF
// program or an empty file is, unless forced. Said before hours of work.
Status check_replaceable(const std::string& path, bool force);

}  // namespace rootlet::packaging
