// SPDX-License-Identifier: MIT
#include "launcher/md5.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstdlib>
#include <string_view>

namespace rootlet {

std::string md5_of(const std::string& text) {
  std::array<unsigned char, 16> digest{};
  if (::EVP_Digest(text.data(), text.size(), digest.data(), nullptr, ::EVP_md5(), nullptr) != 1) {
    std::abort();  // libcrypto without MD5 cannot be: it has names of files to make
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const unsigned char byte : digest) (out += kDigits[byte >> 4]) += kDigits[byte & 15];
  return out;
}

}  // namespace rootlet
