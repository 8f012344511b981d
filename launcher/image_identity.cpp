// SPDX-License-Identifier: MIT
#include "launcher/image_identity.hpp"

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <sstream>

#include "launcher/image_files.hpp"
#include "runtime/policy/policy.hpp"

namespace rootlet {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The order of a character between numbers; the end of a text comes before
// all of them but "~". Debian's own (deb-version(7)).
int order(const std::string& text, std::size_t at) {
  if (at >= text.size() || is_digit(text[at])) return 0;
  const auto c = static_cast<unsigned char>(text[at]);
  if (c == '~') return -1;
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return letter ? c : c + 256;
}

std::string take_number(const std::string& text, std::size_t& at) {
  while (at < text.size() && text[at] == '0') ++at;
  std::string digits;
  while (at < text.size() && is_digit(text[at])) digits += text[at++];
  return digits;
}

void read_desktop(const std::string& text, ImageIdentity& identity) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto value = [&](std::string_view key, std::string& to) {
      if (to.empty() && line.starts_with(key)) to = line.substr(key.size());
    };
    value("Name=", identity.name);
    value("X-AppImage-Version=", identity.version);
  }
}

}  // namespace

Result<ImageIdentity> read_identity(int fd, const std::string& name) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return last_error("read the image", name);
  const Payload payload =
      TRY(find_payload_in({fd, 0, static_cast<std::uint64_t>(status.st_size)}, name));
  ImageIdentity identity;
  Elf64_Ehdr header{};
  if (payload.offset > 0 && ::pread(fd, &header, sizeof header, 0) > 0 &&
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0) {
    identity.machine = header.e_machine;  // at the same place in both classes
  }
  const ImageFiles files = TRY(read_image_files(payload, name));
  if (files.policy) {
    const Policy policy = TRY(decode_policy(*files.policy));
    identity.name = policy.name;
    identity.version = policy.version;
  }
  if (files.desktop) read_desktop(*files.desktop, identity);
  return identity;
}

int compare_versions(const std::string& left, const std::string& right) {
  std::size_t l = 0, r = 0;
  while (l < left.size() || r < right.size()) {
    while ((l < left.size() && !is_digit(left[l])) || (r < right.size() && !is_digit(right[r]))) {
      const int difference = order(left, l) - order(right, r);
      if (difference != 0) return difference;
      ++l;
      ++r;
    }
    const std::string a = take_number(left, l), b = take_number(right, r);
    if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
    if (a != b) return a < b ? -1 : 1;
  }
  return 0;
}

}  // namespace rootlet
