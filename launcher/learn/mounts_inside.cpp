// SPDX-License-Identifier: MIT
#include "launcher/learn/mounts_inside.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>

#include "runtime/os/fd.hpp"
#include "runtime/run/paths.hpp"

namespace rootlet::learn {
namespace {

// mountinfo writes blank, tab, newline and backslash as octal (proc(5)).
std::string decode_octal(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out += static_cast<char>(std::strtol(text.substr(i + 1, 3).c_str(), nullptr, 8));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool is_one_of(const std::string& word, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(), [&](const char* one) { return word == one; });
}

}  // namespace

Where MountsInside::where_is(const std::string& point, const std::string& type) const {
  if (is_one_of(type, {"proc", "sysfs", "devpts", "mqueue", "cgroup", "cgroup2", "devtmpfs"})) {
    return Where::system;
  }
  const Setting::Shown* bind = nullptr;
  for (const Setting::Shown& shown : setting_.binds) {
    if (is_below(point, shown.target)) bind = &shown;
  }
  if (type == "tmpfs" && std::count(setting_.scratch.begin(), setting_.scratch.end(), point) > 0) {
    return Where::scratch;
  }
  // Before binds: an image may be attached below one.
  if (type.starts_with("fuse") || type == "squashfs") return Where::image;
  if (bind != nullptr) return Where::bind;
  if (point == "/") return Where::image;
  if (is_below(point, "/dev")) return point == "/dev/shm" ? Where::scratch : Where::system;
  return type == "tmpfs" ? Where::system : Where::elsewhere;
}

void MountsInside::read(pid_t tid) {
  auto text = os::read_file(AT_FDCWD, "/proc/" + std::to_string(tid) + "/mountinfo", 16u << 20);
  if (!text.ok()) return;
  std::istringstream lines(text.value());
  for (std::string line; std::getline(lines, line);) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    // ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG]... - TYPE SOURCE OPTIONS
    std::istringstream words(line), behind(line.substr(dash + 3));
    std::uint64_t number = 0;
    std::string parent, device, top, point, options, type;
    words >> number >> parent >> device >> top >> point >> options;
    behind >> type;
    point = decode_octal(point);
    mounts_[number] = {point, where_is(point, type), (options + ",").starts_with("ro,")};
  }
}

const MountInside* MountsInside::find(std::uint64_t number) const {
  const auto found = mounts_.find(number);
  return found == mounts_.end() ? nullptr : &found->second;
}

const MountInside& MountsInside::of_path(const std::string& path) const {
  static const MountInside none;
  const MountInside* longest = &none;
  for (const auto& [number, mount] : mounts_) {
    if (is_below(path, mount.point) && mount.point.size() >= longest->point.size()) {
      longest = &mount;
    }
  }
  return *longest;
}

}  // namespace rootlet::learn
