// SPDX-License-Identifier: MIT
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "packaging/content.hpp"
#include "packaging/content_hash.hpp"

namespace rootlet::packaging {

struct CloseArchive {
  void operator()(archive* handle) const { ::archive_read_free(handle); }
};
using Archive = std::unique_ptr<archive, CloseArchive>;

// What an archive may unpack to. Beyond `most` bytes it is refused, and before
// that where it grows as no real data does: a small file that unpacks to
// gigabytes of one byte fills a disk, and hours.
struct UnpackLimit {
  std::uint64_t most = 64ull << 30;
  bool asked_for = false;  // by --max-size: then only that counts
};

// The bytes of a packed file, unpacked as they are asked for: gzip, zstd, xz,
// bzip2, or as they are.
class Unpacked {
 public:
  // `content` outlives it; `size` is the packed one.
  static Result<std::unique_ptr<Unpacked>> open(const OpenContent& content, std::uint64_t size,
                                                std::string name, const UnpackLimit& limit);

  // Some of what follows; empty at the end.
  Result<std::string_view> next();

  std::uint64_t packed_done() const { return at_; }
  std::string digest() { return digest_.finish(); }  // of all, once it was read to its end

 private:
  Unpacked(const OpenContent& content, std::uint64_t size, std::string name, UnpackLimit limit)
      : content_(content), size_(size), name_(std::move(name)), limit_(limit), buffer_(1 << 18) {}

  static la_ssize_t feed(archive*, void* self, const void** bytes);
  Error failure() const;

  const OpenContent& content_;
  std::uint64_t size_, at_ = 0, unpacked_ = 0;
  std::string name_;
  UnpackLimit limit_;
  std::vector<char> buffer_;
  std::string read_error_;
  Archive handle_;
  ContentHash digest_;
};

}  // namespace rootlet::packaging
