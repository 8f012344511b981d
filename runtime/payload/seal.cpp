// SPDX-License-Identifier: MIT
#include "runtime/payload/seal.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace rootlet {
namespace {

constexpr std::string_view kRead = "read the seal";
constexpr std::string_view kMagic{"rootlet seal\n\0\0\1", 16};
constexpr std::size_t kTreeBytes = 16, kDigest = 32, kDescriptor = 64, kSignature = 320;
constexpr unsigned kSmallest = 12, kLargest = 20;  // of block_log

// struct fsverity_descriptor (include/uapi/linux/fsverity.h, Linux 5.4).
constexpr std::size_t kDescriptorSize = 256;
constexpr std::uint8_t kVersion = 1, kSha256 = 1;

template <typename Number>
void put(char* at, Number number) {
  for (std::size_t i = 0; i < sizeof number; ++i) at[i] = static_cast<char>(number >> (8 * i));
}

std::uint64_t get(const char* at, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = size; i-- > 0;) number = number << 8 | static_cast<unsigned char>(at[i]);
  return number;
}

void write_descriptor(const Seal& seal, char* at) {
  at[0] = kVersion;
  at[1] = kSha256;
  at[2] = static_cast<char>(seal.block_log);
  put(at + 8, seal.length);
  std::memcpy(at + 16, seal.root.data(), seal.root.size());
}

Sha256Digest hash(const char* bytes, std::size_t size) {
  return sha256({reinterpret_cast<const std::uint8_t*>(bytes), size});
}

Error damaged(const std::string& name, std::string_view reason) {
  return plain_error(kRead, name, reason,
                     "the file is damaged or was put together by hand; copy or download it again");
}

// The page's own digest stands for all of it that is checked.
Result<Seal> parse(const char* page, const std::string& name) {
  const char* descriptor = page + kDescriptor;
  const Sha256Digest digest = hash(descriptor, kDescriptorSize);
  if (std::memcmp(digest.data(), page + kDigest, digest.size()) != 0) {
    return damaged(name, "its digest is not that of what it describes");
  }
  const unsigned block_log = static_cast<unsigned char>(descriptor[2]);
  if (descriptor[0] != kVersion || descriptor[1] != kSha256 || block_log < kSmallest ||
      block_log > kLargest) {
    return damaged(name, "made in a way that this program does not know");
  }
  Seal seal = Seal::over(get(descriptor + 8, 8), block_log);
  std::memcpy(seal.root.data(), descriptor + 16, seal.root.size());
  // Salt, and fields of kernels to come: none of ours.
  seal.name_it();
  if (seal.digest != digest) return damaged(name, "made in a way that this program does not know");
  if (seal.tree_bytes() != get(page + kTreeBytes, 8)) return damaged(name, "its tree is cut short");
  const std::uint64_t signature = get(page + kSignature, 4);
  if (signature > Seal::kSignatureMost) return damaged(name, "an impossible signature");
  seal.signature.assign(page + kSignature + 4, static_cast<std::size_t>(signature));
  return seal;
}

}  // namespace

Seal Seal::over(std::uint64_t length, unsigned block_log) {
  Seal seal;
  seal.length = length;
  seal.block_log = block_log;
  std::uint64_t blocks = (length >> block_log) + (length % seal.block_size() != 0);
  while (blocks > 1) {
    blocks = (blocks + seal.hashes_per_block() - 1) / seal.hashes_per_block();
    seal.levels.push_back({0, blocks});
  }
  std::uint64_t first = 0;
  for (auto level = seal.levels.rbegin(); level != seal.levels.rend(); ++level) {
    level->first = first;
    first += level->blocks;
  }
  return seal;
}

std::uint64_t Seal::tree_bytes() const {
  return levels.empty() ? 0 : (levels.front().first + levels.front().blocks) << block_log;
}

void Seal::name_it() {
  char descriptor[kDescriptorSize] = {};
  write_descriptor(*this, descriptor);
  digest = hash(descriptor, sizeof descriptor);
}

std::string Seal::page() const {
  std::string page(kPage, '\0');
  std::memcpy(page.data(), kMagic.data(), kMagic.size());
  put(&page[kTreeBytes], tree_bytes());
  std::memcpy(&page[kDigest], digest.data(), digest.size());
  write_descriptor(*this, &page[kDescriptor]);
  put(&page[kSignature], static_cast<std::uint32_t>(signature.size()));
  std::memcpy(&page[kSignature + 4], signature.data(), std::min(signature.size(), kSignatureMost));
  return page;
}

std::string seal_text(const Sha256Digest& digest) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "sha256:";
  for (const std::uint8_t byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::uint64_t seal_offset(const Payload& payload) {
  return payload.offset + (payload.length + Seal::kPage - 1) / Seal::kPage * Seal::kPage;
}

Result<std::optional<Seal>> read_seal(const Payload& payload, const std::string& name) {
  char page[Seal::kPage];
  ssize_t got = 0;
  do {
    got = ::pread(payload.fd, page, sizeof page, static_cast<off_t>(seal_offset(payload)));
  } while (got < 0 && errno == EINTR);
  if (got < 0) return last_error(kRead, name);
  const auto have = static_cast<std::size_t>(got);
  if (have < kMagic.size() || std::memcmp(page, kMagic.data(), kMagic.size()) != 0) {
    return std::optional<Seal>();
  }
  if (have < sizeof page) return damaged(name, "cut short");
  Seal seal = TRY(parse(page, name));
  if (seal.length != payload.length) return damaged(name, "it is another image's");
  struct stat status {};
  if (::fstat(payload.fd, &status) != 0) return last_error(kRead, name);
  const std::uint64_t left = static_cast<std::uint64_t>(status.st_size) - seal_offset(payload);
  if (left < Seal::kPage || left - Seal::kPage < seal.tree_bytes()) {
    return damaged(name, "its tree is cut short");
  }
  return std::optional(std::move(seal));
}

}  // namespace rootlet
