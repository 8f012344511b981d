// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "packaging/output_file.hpp"

namespace rootlet {

// The file that takes another one's place, whole and at once: with its mode,
// owner and attributes. The old one stays as it is under whoever has it open or
// executes it, and stays altogether if anything fails.
class Successor {
 public:
  // A nameless copy of the file at `path` (a symlink is followed).
  static Result<Successor> copy_of(const std::string& path);

  // The same under another name, where there is nothing yet.
  static Result<Successor> copy_to(const std::string& path, const std::string& name);

  int fd() const { return output_.fd(); }
  const std::string& path() const { return path_; }  // without symlinks
  // Under its name, with this mode, and the caller's own otherwise.
  Status appear(unsigned mode);
  Status take_place();

 private:
  Successor(std::string path, os::Fd old, packaging::OutputFile output)
      : path_(std::move(path)), old_(std::move(old)), output_(std::move(output)) {}

  std::string path_;
  os::Fd old_;
  packaging::OutputFile output_;
};

// Gives `to` the mode, owner and user attributes of `from`. Errors: an owner
// that the caller may not give.
Status copy_standing(int from, int to, const std::string& name);

}  // namespace rootlet
