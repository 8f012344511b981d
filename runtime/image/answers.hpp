// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/image/file_reader.hpp"
#include "runtime/image/server.hpp"

struct fuse_lowlevel_ops;

namespace rootlet::image {

// What the answers to the kernel's questions are made from.
struct Answers {
  sqfs* fs = nullptr;
  FileReader* reader = nullptr;
  Owner owner;
  // Called when a block cannot be read. The image is then damaged or was
  // changed: it must not return.
  void (*give_up)(const char* reason) = nullptr;
};

// The table of answers for libfuse; its user data is an Answers*.
const fuse_lowlevel_ops& answer_table();

}  // namespace rootlet::image
