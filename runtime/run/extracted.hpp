// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/base/log.hpp"
#include "runtime/image/squashfs.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet {

// An image unpacked into a directory of its own: 0700, ours, locked while it
// is used. Removed with its owner; one whose owner was killed is swept by the
// next run that needs such a directory.
class ExtractedDirectory {
 public:
  ExtractedDirectory(std::string path, os::Fd lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}
  ExtractedDirectory(ExtractedDirectory&&) noexcept = default;
  ExtractedDirectory& operator=(ExtractedDirectory&&) noexcept = default;
  ~ExtractedDirectory();

  std::string path() const { return path_ + "/root"; }
  // The directory of all unpacked runs, which no tool may change.
  std::string base() const { return path_.substr(0, path_.rfind('/')); }

 private:
  std::string path_;
  os::Fd lock_;  // held by flock(2); gone with the process, however it ends
};

// Below $XDG_CACHE_HOME, else ~/.cache, else $TMPDIR or /tmp: the first where
// a private directory can be had and whose files may be executed.
Result<ExtractedDirectory> extract_to_directory(image::Squashfs& image, const Log& log);

// Removes a tree of ours, without following any symlink. Errors are ignored:
// what cannot be removed was not ours.
void remove_tree(int parent, const std::string& name);

}  // namespace rootlet
