// SPDX-License-Identifier: MIT
#include "runtime/run/stamp.hpp"

#include <dirent.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <bit>
#include <cstring>

#include "runtime/os/fd.hpp"
#include "runtime/run/rendezvous.hpp"

namespace rootlet {
namespace {

void mix(std::uint64_t (&v)[4], int rounds) {
  while (rounds-- > 0) {
    v[0] += v[1];
    v[2] += v[3];
    v[1] = std::rotl(v[1], 13) ^ v[0];
    v[3] = std::rotl(v[3], 16) ^ v[2];
    v[0] = std::rotl(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = std::rotl(v[1], 17) ^ v[2];
    v[3] = std::rotl(v[3], 21) ^ v[0];
    v[2] = std::rotl(v[2], 32);
  }
}

bool is_itself_or_above(const char* name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

}  // namespace

std::optional<Stamp> Stamp::of(const Caller& caller) {
  const auto place = Rendezvous::open(caller);
  if (!place.ok() || !place.value().lock().ok()) return {};
  const os::Fd file = place.value().open_key();
  Stamp stamp;
  const auto whole = [](ssize_t size) { return size == sizeof key_; };
  if (whole(::pread(file.get(), stamp.key_, sizeof key_, 0)) ||
      (whole(::getrandom(stamp.key_, sizeof key_, 0)) &&
       whole(::pwrite(file.get(), stamp.key_, sizeof key_, 0)))) {
    return stamp;
  }
  return {};
}

std::uint64_t Stamp::hash(const void* bytes, std::size_t size) const {
  std::uint64_t v[4] = {key_[0] ^ 0x736f6d6570736575u, key_[1] ^ 0x646f72616e646f6du,
                        key_[0] ^ 0x6c7967656e657261u, key_[1] ^ 0x7465646279746573u};
  const char* from = static_cast<const char*>(bytes);
  for (std::size_t left = size;; left -= 8, from += 8) {
    const bool last = left < 8;
    std::uint64_t word = last ? std::uint64_t{size} << 56 : 0;
    std::memcpy(&word, from, last ? left : 8);
    v[3] ^= word;
    mix(v, 2);
    v[0] ^= word;
    if (last) break;
  }
  v[2] ^= 0xff;
  mix(v, 4);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

bool Stamp::add_tree(int directory, std::uint64_t name, std::uint64_t& sum,
                     std::uint64_t& bytes) const {
  DIR* listing = ::fdopendir(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (listing == nullptr) return false;
  bool whole = true;
  while (const dirent* entry = whole ? ::readdir(listing) : nullptr) {
    if (is_itself_or_above(entry->d_name)) continue;
    struct stat status {};
    whole = ::fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0;
    const std::uint64_t facts[] = {name,
                                   hash(entry->d_name, std::strlen(entry->d_name)),
                                   status.st_ino,
                                   std::uint64_t{status.st_uid} << 32 | status.st_mode,
                                   static_cast<std::uint64_t>(status.st_size),
                                   static_cast<std::uint64_t>(status.st_ctim.tv_sec),
                                   static_cast<std::uint64_t>(status.st_ctim.tv_nsec)};
    sum += hash(facts, sizeof facts);
    if (!whole) continue;
    const bool is_directory = S_ISDIR(status.st_mode);
    bytes +=
        static_cast<std::uint64_t>(status.st_blocks) * 512 / (is_directory ? 1 : status.st_nlink);
    if (!is_directory) continue;
    const os::Fd below(
        ::openat(directory, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    whole = below.valid() && add_tree(below.get(), hash(facts, 3 * sizeof facts[0]), sum, bytes);
  }
  ::closedir(listing);
  return whole;
}

}  // namespace rootlet
