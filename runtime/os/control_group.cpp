// SPDX-License-Identifier: MIT
#include "runtime/os/control_group.hpp"

#include <dirent.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

namespace rootlet::os {
namespace {

constexpr std::string_view kMake = "make a control group";
constexpr std::string_view kPrefix = "rootlet-";

// Takes what is before the next separator off the front.
std::string_view take(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

bool has_word(std::string_view words, char separator, std::string_view word) {
  while (!words.empty()) {
    if (take(words, separator) == word) return true;
  }
  return false;
}

// As mountinfo writes them: "\040" is a blank (proc(5)).
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out +=
          static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + text[i + 3] - '0');
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

// Where the group `path` of a hierarchy is seen: mounts show a part of it each.
std::optional<std::string> find_directory(std::string_view mounts, std::string_view controller,
                                          std::string_view path) {
  while (!mounts.empty()) {
    std::string_view line = take(mounts, '\n');
    for (int field = 0; field < 3; ++field) take(line, ' ');
    const std::string root = unescaped(take(line, ' '));
    const std::string point = unescaped(take(line, ' '));
    line.remove_prefix(std::min(line.find(" - "), line.size()));
    for (int field = 0; field < 2; ++field) take(line, ' ');
    const std::string_view type = take(line, ' ');
    take(line, ' ');
    const bool wanted = controller.empty() ? type == "cgroup2"
                                           : type == "cgroup" && has_word(line, ',', controller);
    if (!wanted) continue;
    if (root == "/") return point + std::string(path == "/" ? "" : path);
    if (path == root || path.starts_with(root + "/")) {
      return point + std::string(path.substr(root.size()));
    }
  }
  return {};
}

// O_CREAT changes nothing here, where no file can be made, and lets tests have
// a tree of plain files.
Status put(const std::string& path, const std::string& value) {
  const int raw = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (raw < 0) return last_error(kMake, path);
  const Fd file(raw);
  if (::write(raw, value.data(), value.size()) < 0) return last_error(kMake, path);
  return Done{};
}

std::string text_of(const std::string& path) {
  auto text = read_file(AT_FDCWD, path, 1u << 16);
  return text.ok() ? std::move(text).value() : std::string();
}

// Held by a lock, so that nobody takes an empty one for a leftover.
Result<Fd> make_held(const std::string& path) {
  // Again, when a sweep was faster than our lock.
  for (int attempt = 0; attempt < 10; ++attempt) {
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return last_error(kMake, path);
    auto held = open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!held.ok() || ::flock(held.value().get(), LOCK_EX | LOCK_NB) != 0) continue;
    struct stat ours {
    }, there{};
    if (::fstat(held.value().get(), &ours) == 0 && ::lstat(path.c_str(), &there) == 0 &&
        ours.st_ino == there.st_ino) {
      return held;
    }
  }
  return plain_error(kMake, path, "it comes and goes");
}

// rmdir(2) refuses a group with processes or groups in it, so this is safe.
void sweep(const std::string& parent) {
  DIR* listing = ::opendir(parent.c_str());
  if (listing == nullptr) return;
  while (const dirent* entry = ::readdir(listing)) {
    if (!std::string_view(entry->d_name).starts_with(kPrefix)) continue;
    const std::string path = parent + "/" + entry->d_name;
    auto held = open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!held.ok() || ::flock(held.value().get(), LOCK_EX | LOCK_NB) != 0) continue;
    ::rmdir(path.c_str());
  }
  ::closedir(listing);
}

std::string first_line(const std::string& path) {
  std::string text = text_of(path);
  text.resize(std::min(text.find('\n'), text.size()));
  return text;
}

// The words of a line, each with a sign in front, as cgroup.subtree_control takes
// them; of `only`, those that the line has.
std::string signed_words(std::string_view words, char sign, const std::vector<std::string>* only) {
  std::string text;
  while (!words.empty()) {
    const std::string word(take(words, ' '));
    if (only != nullptr && std::find(only->begin(), only->end(), word) == only->end()) continue;
    text += (text.empty() ? "" : " ") + (sign + word);
  }
  return text;
}

}  // namespace

std::optional<Hierarchy> find_hierarchy(std::string_view controller, std::string_view group,
                                        std::string_view mounts) {
  std::string_view unified;
  while (!group.empty()) {
    std::string_view line = take(group, '\n');
    const std::string_view number = take(line, ':');
    const std::string_view controllers = take(line, ':');
    if (number == "0" && controllers.empty()) unified = line;
    if (!has_word(controllers, ',', controller)) continue;
    auto directory = find_directory(mounts, controller, line);
    if (!directory) return {};
    return Hierarchy{false, std::move(*directory)};
  }
  if (unified.empty()) return {};
  auto directory = find_directory(mounts, "", unified);
  if (!directory) return {};
  return Hierarchy{true, std::move(*directory)};
}

Result<ControlGroup> ControlGroup::make(const Hierarchy& hierarchy,
                                        const std::vector<std::string>& controllers) {
  ControlGroup group;
  const std::string name = std::string(kPrefix) + std::to_string(::getpid());
  const std::string& parent = hierarchy.directory;
  group.unified_ = hierarchy.unified;
  sweep(parent);
  if (hierarchy.unified) TRY(group.enable(parent, controllers, name + ".launcher"));
  group.held_ = TRY(make_held(parent + "/" + name));
  group.path_ = parent + "/" + name;
  group.door_ = TRY(open_at(group.held_.get(), "cgroup.procs", O_WRONLY | O_CREAT));
  return group;
}

// A group has either processes or controllers for its children (cgroups(7), "no
// internal processes"); only the hierarchy's root, which has no cgroup.type, has
// both. So the launcher steps aside, if it is alone in its group. (The threaded
// controllers, cpu and pids, can be enabled around a process, but then no other
// group below it can be entered: EOPNOTSUPP. Seen on Linux 6.1.)
Status ControlGroup::enable(const std::string& parent, const std::vector<std::string>& controllers,
                            const std::string& aside) {
  const std::string file = parent + "/cgroup.subtree_control";
  const std::string wanted =
      signed_words(first_line(parent + "/cgroup.controllers"), '+', &controllers);
  if (wanted.empty()) return Done{};
  if (::access((parent + "/cgroup.type").c_str(), F_OK) != 0) return put(file, wanted);
  if (text_of(parent + "/cgroup.procs") != std::to_string(::getpid()) + "\n") {
    errno = EBUSY;
    return last_error(kMake, parent);
  }
  // What a killed launcher had enabled would keep us from leaving.
  (void)put(file, signed_words(first_line(file), '-', nullptr));
  held_aside_ = TRY(make_held(parent + "/" + aside));
  parent_ = parent;
  aside_ = parent + "/" + aside;
  TRY(put(aside_ + "/cgroup.procs", "0"));
  enabled_ = wanted;
  return put(file, wanted);
}

ControlGroup::~ControlGroup() {
  // Processes that just ended are uncounted late.
  for (int attempt = 0; !path_.empty() && ::rmdir(path_.c_str()) != 0 && errno == EBUSY;
       ++attempt) {
    if (attempt == 50) break;
    ::usleep(2000);
  }
  if (aside_.empty()) return;
  for (char& c : enabled_) c = c == '+' ? '-' : c;
  (void)put(parent_ + "/cgroup.subtree_control", enabled_);
  (void)put(parent_ + "/cgroup.procs", "0");
  ::rmdir(aside_.c_str());
}

Status ControlGroup::set(const std::string& file, const std::string& value) const {
  return put(path_ + "/" + file, value);
}

Status ControlGroup::set(const std::string& file, std::uint64_t value) const {
  return set(file, std::to_string(value));
}

std::uint64_t ControlGroup::read(const std::string& file, std::string_view key) const {
  const std::string text = text_of(path_ + "/" + file);
  std::string_view rest = text;
  if (key.empty()) return std::strtoull(text.c_str(), nullptr, 10);
  while (!rest.empty()) {
    std::string_view line = take(rest, '\n');
    if (take(line, ' ') == key) return std::strtoull(std::string(line).c_str(), nullptr, 10);
  }
  return 0;
}

}  // namespace rootlet::os
