// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <unordered_map>

#include "launcher/learn/mounts_inside.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet::learn {

// What a path means, inside, at the moment of the look.
struct Found {
  std::string path;  // symlinks resolved; of what is not there, its directory's resolved
  int error = 0;     // why it is not reached: ENOENT, ENOTDIR, EACCES, ELOOP; 0: it is there
  char type = '-';   // f file, d directory, c device, p pipe, s socket, l symlink, - missing
  Where where = Where::elsewhere;  // of a missing one: of its directory
  bool read_only = false;          // the mount
  unsigned mode = 0, uid = 0, gid = 0;
  // Of a missing one: its directory's, where that is there.
  bool directory_there = false;
  unsigned directory_mode = 0, directory_uid = 0, directory_gid = 0;
};

// From a thread's path to the file: as the kernel would resolve it, from outside.
class PathResolver {
 public:
  // `constant`: what is on the image does not change while the tool runs.
  PathResolver(const Setting& setting, bool constant) : mounts_(setting), constant_(constant) {}

  // Takes the root of this thread as that of all; those that have another say so.
  void begin(pid_t tid);

  // `base`: the directory that a relative path begins at, inside. `follow`: a symlink
  // at the end. `own_root`: this thread has changed its root.
  Found find(pid_t tid, const std::string& base, const std::string& path, bool follow,
             bool own_root);
  // What it means to open what was found: a descriptor to read from, or none.
  os::Fd open(pid_t tid, const std::string& path, bool own_root);

 private:
  Found look(pid_t tid, int root, const std::string& full, bool follow);
  void describe_directory(pid_t tid, int root, const std::string& full, Found& found);
  Found in_proc(pid_t tid, const std::string& full) const;
  void describe_mount(pid_t tid, std::uint64_t number, Found& found);

  MountsInside mounts_;
  bool constant_;
  os::Fd root_;
  std::unordered_map<std::string, Found> known_;  // of the image
};

// "/a//b/./c/" as "/a/b/c"; ".." stays, it is the file system's to resolve.
std::string joined_inside(const std::string& base, const std::string& path);

}  // namespace rootlet::learn
