// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/base/result.hpp"

namespace rootlet {

// Reads single files of a squashfs that lies in an open file, without mounting
// it. The one place of the launcher that includes squashfuse.
class SquashfsReader {
 public:
  // The superblock must have passed read_superblock(). The descriptor is not
  // owned and must stay open.
  static Result<SquashfsReader> open(int fd, std::uint64_t offset, const std::string& name);
  SquashfsReader(SquashfsReader&&) noexcept;
  SquashfsReader& operator=(SquashfsReader&&) = delete;
  ~SquashfsReader();

  // A regular file's bytes, at most `limit` of them: more is an error. The
  // path has no leading slash; symlinks are not followed. ENOENT: not there.
  Result<std::string> read_file(const std::string& path, std::size_t limit);

  // The name of the first entry of the root that ends so, or empty.
  Result<std::string> find_in_root(const std::string& ending);

 private:
  struct Image;
  SquashfsReader(std::unique_ptr<Image> image, std::string name);

  std::unique_ptr<Image> image_;
  std::string name_;
};

}  // namespace rootlet
