// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/base/result.hpp"
#include "runtime/payload/payload.hpp"
#include "runtime/payload/seal.hpp"

struct sqfs;
struct sqfs_inode;

namespace rootlet::image {

// An opened squashfs: what the policy reader, the extraction and the server
// look at. Not for use by several threads at once.
class Squashfs {
 public:
  // `name` is for messages. Errors: not readable, damaged, a compression that
  // this program does not carry (named).
  static Result<Squashfs> open(const Payload& payload, const std::string& name);

  Squashfs(Squashfs&&) noexcept = default;
  Squashfs& operator=(Squashfs&&) noexcept = default;
  ~Squashfs();

  // The content of a regular file, or nothing where there is none. A path has
  // no leading slash; symlinks are not followed. Larger than `limit`: an error.
  Result<std::optional<std::string>> read_file(const std::string& path, std::size_t limit);

  // A regular file is there; its content is not touched.
  bool has_file(const std::string& path);
  // Something is there, a symlink perhaps.
  bool has_entry(const std::string& path);

  // What it is vouched for by, where a seal follows it: reads then give nothing
  // else (sealed_file.hpp).
  const Seal* seal() const;

  sqfs* raw() const { return fs_.get(); }
  const std::string& name() const { return name_; }

 private:
  Squashfs() = default;

  struct Close {
    void operator()(sqfs* fs) const;
  };
  std::unique_ptr<sqfs, Close> fs_;
  std::string name_;
};

// Every read of an image goes through one function; this is called, in the
// process that reads, when the file's size or modification time is no longer
// what it was when the image was opened. It must not return to the reader
// with changed bytes, so the default ends the read with an error.
void on_image_changed(std::function<void()> handler);

// The same for what its seal does not vouch for; `what` says where it lies.
void on_image_damaged(std::function<void(const std::string& what)> handler);

// What was said last of such damage, in a process without a handler; empty:
// there was none.
std::string damage_found();

}  // namespace rootlet::image
