// SPDX-License-Identifier: MIT
#include "packaging/content_hash.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstdlib>

namespace rootlet::packaging {

struct ContentHash::State {
  EVP_MD_CTX* context = ::EVP_MD_CTX_new();
};

// Without memory for it there is nothing left to say.
ContentHash::ContentHash() : state_(std::make_unique<State>()) {
  if (state_->context == nullptr ||
      ::EVP_DigestInit_ex(state_->context, ::EVP_sha256(), nullptr) != 1) {
    std::abort();
  }
}

ContentHash::~ContentHash() { ::EVP_MD_CTX_free(state_->context); }

void ContentHash::add(std::string_view bytes) {
  ::EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
}

std::string ContentHash::finish() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, 32> digest{};
  ::EVP_DigestFinal_ex(state_->context, digest.data(), nullptr);
  ::EVP_DigestInit_ex(state_->context, ::EVP_sha256(), nullptr);
  std::string text;
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace rootlet::packaging
