// SPDX-License-Identifier: MIT
#include "launcher/zsync_header.hpp"

#include <algorithm>
#include <charconv>

namespace rootlet {
namespace {

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

}  // namespace

Result<ZsyncHeader> parse_zsync_header(std::string_view control, const std::string& name) {
  const auto wrong = [&](std::string_view reason) {
    return plain_error("read the zsync file", name, reason,
                       "zsyncmake makes one; is this the address of a .zsync file?");
  };
  const std::size_t end = control.find("\n\n");
  if (!control.starts_with("zsync: ") || end == std::string_view::npos || end > 65536) {
    return wrong("it is none");
  }
  ZsyncHeader header;
  std::string_view rest = control.substr(0, end + 1);
  while (!rest.empty()) {
    const std::size_t line_end = rest.find('\n');
    const std::string_view line = rest.substr(0, line_end);
    rest.remove_prefix(line_end + 1);
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, colon), value = line.substr(colon + 2);
    if (key == "Length") {
      const auto got = std::from_chars(value.data(), value.data() + value.size(), header.length);
      if (got.ec != std::errc{} || got.ptr != value.data() + value.size()) header.length = 0;
    } else if (key == "SHA-1" && value.size() == 40 && is_hex(value)) {
      header.sha1 = value;
    } else if (key == "URL" && header.url.empty()) {
      header.url = value;
    }
  }
  std::transform(header.sha1.begin(), header.sha1.end(), header.sha1.begin(), [](char c) {
    return static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
  });
  if (header.length == 0 || header.sha1.empty()) return wrong("it lacks a length or a digest");
  if (header.url.empty()) return wrong("it does not say where the file is");
  return header;
}

std::string resolve_url(const std::string& base, const std::string& reference) {
  if (reference.find("://") != std::string::npos) return reference;
  const std::size_t scheme = base.find("://");
  const std::size_t host = scheme == std::string::npos ? 0 : scheme + 3;
  if (reference.starts_with("/")) return base.substr(0, base.find('/', host)) + reference;
  const std::string path = base.substr(0, base.find_first_of("?#"));
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return reference;
  if (slash < host) return path + "/" + reference;
  return path.substr(0, slash + 1) + reference;
}

}  // namespace rootlet
