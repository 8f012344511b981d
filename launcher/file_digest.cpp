// SPDX-License-Identifier: MIT
#include "launcher/file_digest.hpp"

#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <vector>

namespace rootlet {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { ::EVP_MD_CTX_free(context); }
};

Result<std::string> digest_of(int fd, const std::string& name, const EVP_MD* kind) {
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(::EVP_MD_CTX_new());
  if (!context || ::EVP_DigestInit_ex(context.get(), kind, nullptr) != 1) {
    return plain_error("compute the digest", name, "libcrypto has not this kind");
  }
  std::vector<char> buffer(1 << 20);
  for (off_t at = 0;;) {
    const ssize_t got = ::pread(fd, buffer.data(), buffer.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return last_error("compute the digest", name);
    if (got == 0) break;
    ::EVP_DigestUpdate(context.get(), buffer.data(), static_cast<std::size_t>(got));
    at += got;
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  ::EVP_DigestFinal_ex(context.get(), digest.data(), &size);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return text;
}

}  // namespace

Result<std::string> sha256_of(int fd, const std::string& name) {
  return digest_of(fd, name, ::EVP_sha256());
}

Result<std::string> sha1_of(int fd, const std::string& name) {
  return digest_of(fd, name, ::EVP_sha1());
}

}  // namespace rootlet
