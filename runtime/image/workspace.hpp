// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

struct ZSTD_DCtx_s;
struct libdeflate_decompressor;

namespace rootlet::image {

// What one thread needs to read and decode: made when first wanted, kept from
// block to block (making a zstd context is a measurable part of a cold start),
// given back when the thread ends or has nothing to do.
class Workspace {
 public:
  // Room for at least `size` bytes; what was in it may be lost. Null: no memory.
  class Room {
   public:
    char* get(std::size_t size);
    void release();

   private:
    char* bytes_ = nullptr;
    std::size_t size_ = 0;
  };

  // The calling thread's own.
  static Workspace& mine();

  void release();

  Room stored;  // a block as the image has it
  Room answer;  // what goes to a reader and is in no cache
  ZSTD_DCtx_s* zstd = nullptr;
  libdeflate_decompressor* deflate = nullptr;
};

}  // namespace rootlet::image
