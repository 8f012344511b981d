// SPDX-License-Identifier: MIT
#include "runtime/os/mountinfo.hpp"

#include <sys/sysmacros.h>

#include <algorithm>
#include <cstdlib>

#include "runtime/os/fd.hpp"

namespace rootlet::os {
namespace {

// mountinfo writes blank, tab, newline and backslash as octal (proc(5)).
std::string decode_octal(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                               (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

// ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG]... - TYPE SOURCE OPTIONS
MountEntry parse(std::string_view line) {
  const auto next = [&] {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return word;
  };
  MountEntry entry;
  entry.id = std::strtoul(std::string(next()).c_str(), nullptr, 10);
  entry.parent = std::strtoul(std::string(next()).c_str(), nullptr, 10);
  const std::string device(next());
  char* minor = nullptr;
  const auto major = static_cast<unsigned>(std::strtoul(device.c_str(), &minor, 10));
  if (*minor == ':') {
    entry.device = makedev(major, static_cast<unsigned>(std::strtoul(minor + 1, nullptr, 10)));
  }
  entry.top = decode_octal(next());
  entry.point = decode_octal(next());
  const std::size_t dash = line.find(" - ");
  if (dash == std::string_view::npos) return entry;
  line.remove_prefix(dash + 3);
  entry.type = next();
  return entry;
}

}  // namespace

Result<std::vector<MountEntry>> list_mounts() {
  const std::string info = TRY(read_file(AT_FDCWD, "/proc/self/mountinfo", 64u << 20));
  std::vector<MountEntry> entries;
  for (std::size_t at = 0; at < info.size();) {
    const std::size_t end = std::min(info.find('\n', at), info.size());
    entries.push_back(parse(std::string_view(info).substr(at, end - at)));
    at = end + 1;
  }
  return entries;
}

}  // namespace rootlet::os
