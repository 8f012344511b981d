// SPDX-License-Identifier: MIT
#include "trust/content_hash.hpp"

// The plain functions: EVP would link all of libcrypto's providers, 4 MB, into
// a static program. They use the processor's SHA instructions as well.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace rootlet::trust {
namespace {

constexpr std::string_view kHash = "compute the digest";
constexpr std::size_t kChunk = 1 << 20;

void zero_out(std::vector<unsigned char>& chunk, std::uint64_t at, std::size_t size,
              const std::vector<ZeroRange>& zeroed) {
  for (const ZeroRange& range : zeroed) {
    const std::uint64_t from = std::max(at, range.offset);
    const std::uint64_t to = std::min(at + size, range.offset + range.length);
    if (from < to) std::memset(chunk.data() + (from - at), 0, to - from);
  }
}

// Hands all bytes of the range to `take`, piece by piece.
template <typename Take>
Status each_chunk(const FileRange& range, const std::vector<ZeroRange>& zeroed,
                  const std::string& name, const HashProgress& progress, Take take) {
  std::vector<unsigned char> chunk(kChunk);
  for (std::uint64_t at = 0; at < range.length;) {
    const std::size_t wanted = std::min<std::uint64_t>(kChunk, range.length - at);
    const ssize_t got =
        ::pread(range.fd, chunk.data(), wanted, static_cast<off_t>(range.offset + at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return last_error(kHash, name);
    if (got == 0) return plain_error(kHash, name, "it became shorter meanwhile");
    zero_out(chunk, at, static_cast<std::size_t>(got), zeroed);
    take(chunk.data(), static_cast<std::size_t>(got));
    at += static_cast<std::uint64_t>(got);
    if (progress) progress(at, range.length);
  }
  return Done{};
}

}  // namespace

Result<Blake2b> blake2b_of(const FileRange& range, const std::vector<ZeroRange>& zeroed,
                           const std::string& name, const HashProgress& progress) {
  // Picks the fastest code for this processor; more than once is harmless.
  if (::sodium_init() < 0) return plain_error(kHash, name, "libsodium does not start");
  crypto_generichash_state state;
  Blake2b hash{};
  ::crypto_generichash_init(&state, nullptr, 0, hash.size());
  TRY(each_chunk(range, zeroed, name, progress, [&](const unsigned char* bytes, std::size_t size) {
    ::crypto_generichash_update(&state, bytes, size);
  }));
  ::crypto_generichash_final(&state, hash.data(), hash.size());
  return hash;
}

Blake2b blake2b_of_text(std::string_view text) {
  Blake2b hash{};
  ::crypto_generichash(hash.data(), hash.size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr,
                       0);
  return hash;
}

Result<std::string> sha256_text_of(const FileRange& range, const std::vector<ZeroRange>& zeroed,
                                   const std::string& name, const HashProgress& progress) {
  SHA256_CTX state;
  ::SHA256_Init(&state);
  TRY(each_chunk(range, zeroed, name, progress, [&](const unsigned char* bytes, std::size_t size) {
    ::SHA256_Update(&state, bytes, size);
  }));
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  ::SHA256_Final(digest.data(), &state);
  std::array<char, 2 * SHA256_DIGEST_LENGTH + 1> text{};
  ::sodium_bin2hex(text.data(), text.size(), digest.data(), digest.size());
  return std::string(text.data());
}

}  // namespace rootlet::trust
