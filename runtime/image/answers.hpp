// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/image/file_reader.hpp"
#include "runtime/image/server.hpp"
#include "runtime/image/walkers.hpp"

struct fuse_session;

namespace rootlet::image {

class Crew;

// What the answers to the kernel's questions are made from.
struct Answers {
  Answers(sqfs* image, Owner files_owner, void (*on_damage)(const char*));

  sqfs* fs;
  FileReader reader;
  Owner owner;
  Walkers walkers;
  bool never_opens = false;  // the kernel takes ENOSYS for opening a directory
  // Called when a block cannot be read. The image is then damaged or was
  // changed: it must not return.
  void (*give_up)(const char* reason);
  Crew* crew = nullptr;

  // Gives back what only costs memory while nobody asks.
  void on_idle();
};

// A session of libfuse that gives these answers. Null: there is no memory.
fuse_session* new_session(Answers& answers);

}  // namespace rootlet::image
