// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

#include "runtime/image/squashfs.hpp"

namespace rootlet::image {

class FileReader;

// One name of an image.
struct Listed {
  std::string path;    // no leading slash
  std::string target;  // of a symlink
  mode_t mode = 0;     // with its type
  std::uint64_t size = 0, mtime = 0;
};

// Called with each name, a directory before what is in it. The inode is for
// read_content().
using Visit = std::function<Status(const Listed&, const sqfs_inode&)>;

// Visits all of an image. A directory that is its own ancestor, trees deeper
// than 256 and impossible names are errors.
Status list_all(Squashfs& image, const Visit& visit);

// The bytes of a regular file, in pieces of at most a megabyte.
using Sink = std::function<Status(std::string_view)>;
Status read_content(FileReader& reader, const sqfs_inode& inode, const std::string& path,
                    const Sink& sink);

}  // namespace rootlet::image
