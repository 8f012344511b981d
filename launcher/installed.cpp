// SPDX-License-Identifier: MIT
#include "launcher/installed.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "launcher/desktop_entry.hpp"
#include "launcher/exec_line.hpp"

namespace rootlet {
namespace {

std::string state_of(const std::string& file, const std::string& entry) {
  struct stat of_file {
  }, of_entry{};
  if (::stat(file.c_str(), &of_file) != 0) return "missing";
  if (::stat(entry.c_str(), &of_entry) != 0) return "incomplete";
  return of_file.st_mtim.tv_sec > of_entry.st_mtim.tv_sec ? "changed" : "ok";
}

}  // namespace

std::vector<Installed> read_installed(const XdgHome& home) {
  std::map<std::string, Installed> found;
  for (const std::string& path : home.registered_files()) {
    const std::string id = id_of_file(path);
    Installed& one = found[id];
    one.id = id;
    if (!path.starts_with("applications/") || !path.ends_with(".desktop")) continue;
    const auto text = os::read_file(AT_FDCWD, home.data() + "/" + path, DesktopEntry::kLargest);
    if (!text.ok()) continue;
    const auto entry = DesktopEntry::parse(text.value());
    if (!entry.ok()) continue;
    const std::string old = entry.value().value("X-AppImage-Old-Name");
    one.name = unescaped_value(old.empty() ? entry.value().value("Name") : old);
    one.version = unescaped_value(entry.value().value("X-AppImage-Version"));
    one.file = unescaped_value(entry.value().value("TryExec"));
    one.entry = path;
    one.state = state_of(one.file, home.data() + "/" + path);
  }
  std::vector<Installed> all;
  for (auto& [id, one] : found) {
    if (one.state.empty()) one.state = "incomplete";
    all.push_back(std::move(one));
  }
  std::sort(all.begin(), all.end(), [](const Installed& a, const Installed& b) {
    return a.name != b.name ? a.name < b.name : a.file < b.file;
  });
  return all;
}

}  // namespace rootlet
