// SPDX-License-Identifier: MIT
#include "packaging/seal_image.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>

namespace rootlet::packaging {
namespace {

constexpr std::string_view kSeal = "seal the image";

bool read_whole(int fd, std::span<std::uint8_t> out, std::uint64_t at) {
  while (!out.empty()) {
    const ssize_t got = ::pread(fd, out.data(), out.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) errno = EIO;
    if (got <= 0) return false;
    at += static_cast<std::uint64_t>(got);
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

bool write_whole(int fd, std::span<const std::uint8_t> bytes, std::uint64_t at) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    at += static_cast<std::uint64_t>(put);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return true;
}

void add(std::vector<std::uint8_t>& level, std::size_t number, const Sha256Digest& digest) {
  std::memcpy(&level[number * digest.size()], digest.data(), digest.size());
}

// The hashes of the data's blocks: what takes the time. Each thread takes the
// next stretch that is free; where a hash goes does not depend on who made it.
class Leaves {
 public:
  Leaves(const Payload& payload, const Seal& seal)
      : payload_(payload),
        seal_(seal),
        blocks_((seal.length + seal.block_size() - 1) >> seal.block_log),
        hashes_(blocks_ * sizeof(Sha256Digest)) {}

  // 0, or the errno of the read that failed.
  int make(unsigned threads) {
    std::vector<std::thread> others;
    for (unsigned i = 1; i < threads; ++i) others.emplace_back([this] { work(); });
    work();
    for (std::thread& other : others) other.join();
    return error_;
  }

  std::vector<std::uint8_t> take() { return std::move(hashes_); }

 private:
  static constexpr std::uint64_t kStretch = 64;  // blocks

  void work() {
    std::vector<std::uint8_t> bytes(kStretch * seal_.block_size());
    while (error_ == 0) {
      const std::uint64_t first = next_.fetch_add(kStretch);
      if (first >= blocks_) return;
      const std::uint64_t at = first << seal_.block_log;
      const std::span part(bytes.data(), std::min<std::uint64_t>(bytes.size(), seal_.length - at));
      if (!read_whole(payload_.fd, part, payload_.offset + at)) {
        error_ = errno;
        return;
      }
      for (std::size_t done = 0; done < part.size(); done += seal_.block_size()) {
        const std::size_t size = std::min<std::size_t>(seal_.block_size(), part.size() - done);
        add(hashes_, first + (done >> seal_.block_log),
            sha256(part.subspan(done, size), seal_.block_size() - size));
      }
    }
  }

  const Payload& payload_;
  const Seal& seal_;
  std::uint64_t blocks_;
  std::vector<std::uint8_t> hashes_;
  std::atomic<std::uint64_t> next_{0};
  std::atomic<int> error_{0};
};

// The level above one, whose bytes fill whole blocks.
std::vector<std::uint8_t> hash_level(const std::vector<std::uint8_t>& level, const Seal& seal) {
  std::vector<std::uint8_t> above(level.size() / seal.block_size() * sizeof(Sha256Digest));
  for (std::size_t at = 0; at < level.size(); at += seal.block_size()) {
    add(above, at >> seal.block_log, sha256(std::span(level).subspan(at, seal.block_size())));
  }
  return above;
}

}  // namespace

Result<Seal> seal_image(const Payload& payload, const std::string& name, unsigned threads) {
  Seal seal = Seal::over(payload.length);
  const std::uint64_t tree = seal_offset(payload) + Seal::kPage;
  Leaves leaves(payload, seal);
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  if (const int code = leaves.make(threads); code != 0) {
    errno = code;
    return last_error(kSeal, name);
  }
  std::vector<std::uint8_t> level = leaves.take();
  for (const Seal::Level& place : seal.levels) {
    level.resize(place.blocks << seal.block_log);  // with zeros
    if (!write_whole(payload.fd, level, tree + (place.first << seal.block_log))) {
      return last_error(kSeal, name);
    }
    level = hash_level(level, seal);
  }
  std::memcpy(seal.root.data(), level.data(), seal.root.size());
  seal.name_it();
  const std::string page = seal.page();
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(page.data()), page.size());
  if (!write_whole(payload.fd, bytes, seal_offset(payload))) return last_error(kSeal, name);
  return seal;
}

}  // namespace rootlet::packaging
