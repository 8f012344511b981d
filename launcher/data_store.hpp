// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/payload/seal.hpp"

namespace rootlet {

// The user's own directory of data images:
//
//     sha256/AB/ABCD...   an image, under the digest of its seal
//     NAME.sqfs           a symlink to one: its name for people
//
// What is there is whole: a file gets its name when it is written and synced.
class DataStore {
 public:
  explicit DataStore(std::string directory) : directory_(std::move(directory)) {}

  struct Entry {
    std::string file, digest;
    std::vector<std::string> names;
    std::uint64_t size = 0;     // bytes of the file
    std::uint64_t on_disk = 0;  // bytes that it takes (a sparse one takes less)
    std::int64_t used = 0;      // seconds since 1970; as exact as the mount's atime
    bool held = false;          // by a run, now
  };

  const std::string& directory() const { return directory_; }

  // Puts a file in, sealed if it is not yet. Reflinked or copied; the file
  // itself is not changed. `name` may be empty.
  Result<Entry> add(const std::string& file, const std::string& name,
                    const std::function<void(std::uint64_t, std::uint64_t)>& progress);
  Result<std::vector<Entry>> list() const;
  // Removes one that nobody holds, and its names. False: somebody does.
  Result<bool> remove(const Entry& entry);
  // What adds that were killed have left.
  void sweep();

 private:
  std::string path_of(const std::string& digest) const;
  std::string directory_;
};

// Reads all of a sealed image, and so checks it. Errors: no seal; the first
// byte that is not what was sealed.
Status check_whole(const std::string& file,
                   const std::function<void(std::uint64_t, std::uint64_t)>& progress);

// The same of an image that is open.
Status check_whole(const Payload& payload, const std::string& file,
                   const std::function<void(std::uint64_t, std::uint64_t)>& progress);

// The seal of a squashfs, or of an AppImage's.
Result<std::optional<Seal>> seal_of(int fd, const std::string& file);

}  // namespace rootlet
