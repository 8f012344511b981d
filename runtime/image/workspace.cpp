// SPDX-License-Identifier: MIT
#include "runtime/image/workspace.hpp"

#include <libdeflate.h>
#include <zstd.h>

#include <cstdlib>

namespace rootlet::image {
namespace {

// Without a destructor: one would be run by the C++ library at the end of each
// thread, which the stub does without. Threads of ours call release().
constinit thread_local Workspace workspace;

}  // namespace

char* Workspace::Room::get(std::size_t size) {
  if (size_ < size) {
    release();
    bytes_ = static_cast<char*>(std::malloc(size));
    size_ = bytes_ != nullptr ? size : 0;
  }
  return bytes_;
}

void Workspace::Room::release() {
  std::free(bytes_);
  bytes_ = nullptr;
  size_ = 0;
}

Workspace& Workspace::mine() { return workspace; }

void Workspace::release() {
  stored.release();
  answer.release();
  ::ZSTD_freeDCtx(zstd);
  zstd = nullptr;
  if (deflate != nullptr) ::libdeflate_free_decompressor(deflate);
  deflate = nullptr;
}

}  // namespace rootlet::image
