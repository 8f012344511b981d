// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/sandbox/root.hpp"

namespace rootlet::sandbox {

// Directories of the host that no tool may see, whatever is bound: those in
// which image servers are found, and the switches by which a user aborts his
// FUSE mounts (fusectl, /sys/fs/fuse/connections).
//
// They are looked for among the mounts of the finished root, by what they are
// and not by a name: a bind of the directory itself, of one around it, by
// another mount of the same file system or through a symlink all show the same
// object.
class Hidden {
 public:
  // Whether anything of that may show in the finished root. Most bind a directory
  // that has no mounts below it and lies on another file system; to look at the
  // list of mounts costs as much as three mounts (73 us for 40, Linux 6.18).
  static bool may_show_in(const Root& root, const std::vector<std::string>& directories);

  // While the host's files are in sight.
  static Result<Hidden> look_at(const std::vector<std::string>& directories);

  // In the new root, before the tool runs: covers each place where one of them
  // shows. The directories on the way to it are bound on themselves, for one
  // that has something mounted on it cannot be renamed (EBUSY), so that no other
  // takes its place on the host.
  Status hide() const;

 private:
  // A directory on the way from the top of a file system to the hidden one.
  struct Ancestor {
    ino_t number = 0;
    std::vector<std::string> below;  // the names from here to the hidden one
  };
  struct Directory {
    dev_t device = 0;
    ino_t number = 0;
    std::vector<Ancestor> way;  // the hidden one itself first
  };

  std::vector<Directory> directories_;
};

}  // namespace rootlet::sandbox
