// SPDX-License-Identifier: MIT
#include "launcher/thumbnail.hpp"

#include <sys/stat.h>
#include <zlib.h>

#include <string_view>

#include "launcher/md5.hpp"

namespace rootlet {
namespace {

// RFC 3986, as GLib's g_filename_to_uri() escapes paths.
std::string uri_of(const std::string& path) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~!$&'()*+,;=:@/";
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string uri = "file://";
  for (const char letter : path) {
    if (kPlain.find(letter) != kPlain.npos) {
      uri += letter;
    } else {
      const auto byte = static_cast<unsigned char>(letter);
      ((uri += '%') += kDigits[byte >> 4]) += kDigits[byte & 15];
    }
  }
  return uri;
}

std::string big_endian(std::uint64_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xff);
  return out;
}

// length type data crc32(type data), as the PNG specification has it.
std::string text_chunk(const std::string& key, const std::string& value) {
  const std::string body = "tEXt" + key + std::string(1, '\0') + value;
  const auto crc =
      ::crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(body.size() - 4) + body + big_endian(crc);
}

}  // namespace

std::string thumbnail_name(const std::string& path) { return md5_of(uri_of(path)) + ".png"; }

std::string as_thumbnail(const std::string& png, const std::string& path, int file) {
  struct stat status {};
  constexpr std::size_t kHead = 33;  // the signature, and IHDR, which is first
  if (png.size() < kHead || ::fstat(file, &status) != 0) return png;
  return png.substr(0, kHead) + text_chunk("Thumb::URI", uri_of(path)) +
         text_chunk("Thumb::MTime", std::to_string(status.st_mtim.tv_sec)) +
         text_chunk("Thumb::Size", std::to_string(status.st_size)) +
         text_chunk("Software", "rootlet") + png.substr(kHead);
}

}  // namespace rootlet
