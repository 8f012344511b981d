// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/os/fd.hpp"

namespace rootlet::packaging {

// Bytes that are made while they are read, as those of a packed image are.
class Reading {
 public:
  virtual ~Reading() = default;
  virtual Status read_at(std::uint64_t offset, char* out, std::size_t size) const = 0;
};

// A file's bytes while they are read. Valid as long as it lives.
class OpenContent {
 public:
  // Reads exactly `size` bytes at `offset`; fewer is an error, because the
  // size was taken before: the file changed while it was being packed.
  Status read_at(std::uint64_t offset, char* out, std::size_t size) const;

 private:
  friend class Content;
  std::shared_ptr<const os::Fd> file_;
  std::shared_ptr<const std::string> text_;
  std::shared_ptr<const Reading> reading_;
  std::uint64_t base_ = 0;
  std::string name_;
};

// Where the bytes of a file in the tree come from: memory, a range of a
// spooled archive, a file below a source directory, or another reading.
class Content {
 public:
  Content() = default;
  static Content of_text(std::string text);
  static Content of_range(std::shared_ptr<const os::Fd> file, std::uint64_t base, std::string name);
  // `path` is relative to the directory `root`; it is opened anew for each
  // reading, so that a tree of any size needs few descriptors.
  static Content of_host(std::shared_ptr<const os::Fd> root, std::string path);

  static Content of_reading(std::shared_ptr<const Reading> reading);

  Result<OpenContent> open() const;

 private:
  std::shared_ptr<const os::Fd> file_;
  std::shared_ptr<const std::string> text_;
  std::shared_ptr<const Reading> reading_;
  std::uint64_t base_ = 0;
  std::string path_;
  bool host_ = false;
};

// openat2(2) below `root`, through no symlink at all: a tree that changes
// under our hands cannot lead us out of it.
Result<os::Fd> open_beneath(int root, const std::string& path, int flags);

}  // namespace rootlet::packaging
