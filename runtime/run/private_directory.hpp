// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet {

// A directory of one run on the host: BASE/rootlet-UID/run-XXXXXX, 0700, ours,
// locked while it is used. Removed with its owner; one whose owner was killed
// is swept by the next run that makes one at the same BASE.
class PrivateDirectory {
 public:
  // `action` is for messages; `for_programs`: what lies there must be
  // executable.
  static Result<PrivateDirectory> make(const std::string& base, std::string_view action,
                                       bool for_programs);

  // BASE/rootlet-UID, made if it is missing, locked, and rid of what killed runs
  // left. While it is locked nobody else makes or removes anything in it.
  static Result<os::Fd> open_base(const std::string& base, std::string_view action,
                                  bool for_programs);
  static std::string name_of_base(const std::string& base);

  // One that stays at its owner's end (kept_image.hpp). `lock` is a descriptor of it.
  static PrivateDirectory kept(std::string path, os::Fd lock) {
    PrivateDirectory directory(std::move(path), std::move(lock));
    directory.stays_ = true;
    return directory;
  }

  PrivateDirectory(PrivateDirectory&&) noexcept = default;
  PrivateDirectory& operator=(PrivateDirectory&&) noexcept = default;
  ~PrivateDirectory();

  const std::string& path() const { return path_; }
  // The directory of all such runs, which no tool may change.
  std::string base() const { return path_.substr(0, path_.rfind('/')); }

 private:
  PrivateDirectory(std::string path, os::Fd lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  bool stays_ = false;
  os::Fd lock_;  // held by flock(2); gone with the process, however it ends
};

// Removes a tree of ours, without following any symlink. Errors are ignored:
// what cannot be removed was not ours.
void remove_tree(int parent, const std::string& name);

}  // namespace rootlet
