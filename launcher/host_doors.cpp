// SPDX-License-Identifier: MIT
#include "launcher/host_doors.hpp"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "runtime/os/fd.hpp"
#include "runtime/run/paths.hpp"

namespace rootlet {
namespace {

constexpr std::size_t kLongest = 64u << 20;  // of a table in /proc

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

// "0000000012345678: ...": not the rest of a name with a line end in it.
bool begins_entry(std::string_view line) {
  const std::size_t colon = line.find(": ");
  return (colon == 8 || colon == 16) && is_hex(line.substr(0, colon));
}

std::string_view next_field(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view field = line.substr(0, line.find(' '));
  line.remove_prefix(field.size());
  return field;
}

// Calls `see` with the table of sockets of every network namespace in which a
// process is seen: connect(2) to a path asks for no namespace. One namespace
// has one inode of its table (kernel source, fs/proc/generic.c proc_register;
// seen on 6.18).
template <typename See>
Status each_table(See see) {
  constexpr std::string_view kAction = "find the sockets of the host";
  // Ours is the one that must be readable; others end while we look.
  see(TRY(os::read_file(AT_FDCWD, "/proc/self/net/unix", kLongest)));
  struct stat own {};
  if (::stat("/proc/self/net/unix", &own) != 0) return last_error(kAction, "/proc/self/net/unix");
  std::vector<ino_t> seen = {own.st_ino};
  DIR* processes = ::opendir("/proc");
  if (processes == nullptr) return last_error(kAction, "/proc");
  while (const dirent* entry = ::readdir(processes)) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    const std::string path = "/proc/" + std::string(entry->d_name) + "/net/unix";
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) continue;
    if (std::find(seen.begin(), seen.end(), status.st_ino) != seen.end()) continue;
    auto table = os::read_file(AT_FDCWD, path, kLongest);
    if (!table.ok()) continue;
    seen.push_back(status.st_ino);
    see(table.value());
  }
  ::closedir(processes);
  return Done{};
}

}  // namespace

std::vector<std::string> socket_paths(std::string_view table) {
  std::vector<std::string> paths;
  bool in_path = false;
  while (!table.empty()) {
    std::string_view line = table.substr(0, table.find('\n'));
    table.remove_prefix(std::min(line.size() + 1, table.size()));
    if (!begins_entry(line)) {
      if (in_path) paths.back() += "\n" + std::string(line);
      continue;
    }
    for (int field = 0; field < 7; ++field) next_field(line);
    // One blank, then the name. Abstract ones begin with "@"; a relative one
    // cannot be told without its owner's directory.
    in_path = line.size() > 1 && line[1] == '/';
    if (in_path) paths.emplace_back(line.substr(1));
  }
  return paths;
}

std::vector<std::string> all_names(const std::string& path,
                                   const std::vector<os::MountEntry>& mounts) {
  std::vector<std::string> names = {path};
  const os::MountEntry* home = nullptr;  // the mount that shows it here: the deepest, the last made
  for (const os::MountEntry& mount : mounts) {
    if (!is_below(path, mount.point)) continue;
    if (home == nullptr || mount.point.size() >= home->point.size()) home = &mount;
  }
  if (home == nullptr) return names;
  const auto joined = [](const std::string& top, const std::string& from, const std::string& at) {
    const std::string rest = from.substr(at == "/" ? 0 : at.size());
    return top == "/" ? rest : top + rest;
  };
  const std::string inside = joined(home->top, path, home->point);
  for (const os::MountEntry& mount : mounts) {
    if (mount.device != home->device || !is_below(inside, mount.top)) continue;
    const std::string name = joined(mount.point, inside, mount.top);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

Result<std::vector<std::string>> doors_of_the_host() {
  const std::vector<os::MountEntry> mounts = TRY(os::list_mounts());
  std::set<std::string> sockets;  // each connection to one is listed with its name again
  TRY(each_table([&](const std::string& table) {
    for (std::string& path : socket_paths(table)) sockets.insert(std::move(path));
  }));
  std::vector<std::string> doors;
  for (const std::string& path : sockets) {
    const auto names = all_names(real_path(path), mounts);
    doors.insert(doors.end(), names.begin(), names.end());
  }
  for (const os::MountEntry& mount : mounts) {
    if (mount.type == "proc" && !is_below(mount.point, "/proc")) doors.push_back(mount.point);
  }
  return doors;
}

}  // namespace rootlet
