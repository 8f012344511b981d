// SPDX-License-Identifier: MIT
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "runtime/os/mount.hpp"
#include "runtime/sandbox/inode.hpp"
#include "runtime/sandbox/resolve.hpp"
#include "runtime/sandbox/root.hpp"

// The part of Root that makes missing targets: what has to exist in the root
// before something can be shown at it.
namespace rootlet::sandbox {
namespace {

constexpr std::string_view kMake = "make a place in the root";
constexpr std::size_t kMostNames = 4096;  // in a directory that is covered with binds

// The number of the mount that it lies on; 0 before Linux 5.8.
std::uint64_t mount_of(int fd) {
  struct statx status {};
  const int code = ::statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status);
  return code == 0 && (status.stx_mask & STATX_MNT_ID) != 0 ? status.stx_mnt_id : 0;
}

}  // namespace

bool Root::has_entries(const std::string& path) const {
  auto directory = open(path);
  return directory.ok() && !is_empty(directory.value().get());
}

bool Root::is_ours(int directory) const {
  const auto holds = [](const auto& list, auto number) {
    return std::find(list.begin(), list.end(), number) != list.end();
  };
  return holds(our_devices_, device_of(directory)) ||
         (!our_mounts_.empty() && holds(our_mounts_, mount_of(directory)));
}

bool Root::parent_is_empty(const std::string& path) const {
  const std::size_t slash = path.rfind('/');
  if (slash == 0 || slash == std::string::npos) return false;
  auto parent = open(path.substr(0, slash));
  return parent.ok() && is_served_empty(parent.value().get());
}

Result<os::Fd> Root::existing(const std::string& path, bool directory) const {
  auto found = open(path);
  if (!found.ok()) {
    if (found.error().code != ENOENT) return found.error();
    return os::Fd();
  }
  const struct stat status = status_of(found.value().get());
  const struct stat top = status_of(root_.get());
  if (status.st_dev == top.st_dev && status.st_ino == top.st_ino &&
      mount_of(found.value().get()) == mount_of(root_.get())) {  // not seen through a bind
    return plain_error(kMake, path, "it is the root itself, which would be covered whole");
  }
  if (S_ISDIR(status.st_mode) == directory) return found;
  return plain_error(kMake, path,
                     directory ? "the image has a file there" : "the image has a directory there");
}

Result<os::Fd> Root::make(const std::string& path, bool directory) {
  // Each round either finds the path, or makes one more component of it.
  for (int round = 0; round < 128; ++round) {
    os::Fd found = TRY(existing(path, directory));
    if (found.valid()) return found;
    const Missing missing = TRY(find_missing(root_.get(), path));
    if (!is_ours(missing.parent.get())) {
      if (!may_cover(missing.parent.get())) {
        return plain_error(kMake, path, "the directory bound there has no such entry",
                           "make it on the host first; nothing is made there for you");
      }
      TRY(cover(missing.parent_path));
      continue;
    }
    const int made = missing.last && !directory
                         ? ::mknodat(missing.parent.get(), missing.name.c_str(), S_IFREG | 0444, 0)
                         : ::mkdirat(missing.parent.get(), missing.name.c_str(), 0755);
    // In /dev the process that becomes the tool may have been quicker.
    if (made != 0 && errno != EEXIST) return last_error(kMake, path);
  }
  return plain_error(kMake, path, "too many levels", "use a shorter path");
}

Status Root::make_all(const std::vector<Target>& targets) {
  std::vector<const Target*> missing;
  std::set<std::string> parents;  // in order: a directory comes before what is below it
  for (const Target& target : targets) {
    // A directory that is known to be empty need not be asked for the name.
    if (parent_is_empty(target.path)) {
      parents.insert(target.path.substr(0, target.path.rfind('/')));
    } else if (TRY(existing(target.path, target.directory)).valid()) {
      continue;
    } else {
      parents.insert(TRY(find_missing(root_.get(), target.path)).parent_path);
    }
    missing.push_back(&target);
  }
  leads_to_dev_ = leads_to_dev_ || parents.count("/dev") != 0;
  for (const std::string& parent : parents) {
    const os::Fd directory = TRY(open(parent));
    if (!is_ours(directory.get()) && may_cover(directory.get())) TRY(cover(parent));
  }
  for (const Target* target : missing) TRY(make(target->path, target->directory));
  return Done{};
}

bool Root::may_cover(int directory) const {
  return bare_ ||
         std::find(attached_.begin(), attached_.end(), mount_of(directory)) != attached_.end();
}

Status Root::allow_covering(const std::string& path) {
  const os::Fd mounted = TRY(open(path));
  const std::uint64_t mount = mount_of(mounted.get());
  if (mount != 0) attached_.push_back(mount);
  return Done{};
}

Status Root::allow_making(const std::string& path) {
  const os::Fd mounted = TRY(open(path));
  const std::uint64_t mount = mount_of(mounted.get());
  if (mount != 0) our_mounts_.push_back(mount);
  return Done{};
}

Status Root::cover(const std::string& path) {
  const os::Fd directory = TRY(open(path));
  // The top itself is covered by a skeleton of binds: an overlay over all of
  // the image costs 12 % on metadata, the skeleton only its making.
  if (path == "/") return cover_with_binds(directory.get(), path);
  if (is_empty(directory.get())) {
    TRY(cover_with_scratch(directory.get(), path));
    return Done{};
  }
  if (live_) return cover_with_binds(directory.get(), path);
  auto overlay = cover_with_overlay(directory.get(), path);
  if (overlay.ok()) return overlay;
  // Linux < 5.11 has no overlay in user namespaces.
  return cover_with_binds(directory.get(), path);
}

// A tmpfs over "/" of this namespace, entered from above as the image was
// (build_root.cpp).
Result<os::Fd> Root::cover_top() {
  if (::mount("rootlet", "/", "tmpfs", kTmpfsFlags, "mode=755,size=16m") != 0) {
    return last_error(kMake, "/");
  }
  root_ = TRY(os::open_mounted(AT_FDCWD, "/.."));
  ++layers_;
  our_devices_.push_back(device_of(root_.get()));
  TRY(seal_later("/"));
  return open("/");
}

Result<os::Fd> Root::cover_with_scratch(int directory, const std::string& path) {
  const os::Fd source = TRY(scratch_directory(status_of(directory).st_mode & 07777));
  TRY(os::mount_bind(source.get(), directory, path));
  TRY(seal_later(path));
  return open(path);
}

// Changes to a directory go to the run's memory. Returns the merged directory.
Result<os::Fd> Root::overlay_on(int directory, const std::string& path) {
  const os::Fd upper = TRY(scratch_directory(status_of(directory).st_mode & 07777));
  const os::Fd work = TRY(scratch_directory(0700));
  // userxattr: Linux 5.11+, needed where trusted.* may not be written.
  const std::string options = "lowerdir=" + os::fd_path(directory) +
                              ",upperdir=" + os::fd_path(upper.get()) +
                              ",workdir=" + os::fd_path(work.get()) + ",userxattr";
  TRY(os::mount_new("overlay", directory, kTmpfsFlags, options, path));
  os::Fd merged = TRY(open(path));
  our_devices_.push_back(device_of(merged.get()));
  return merged;
}

Status Root::cover_with_overlay(int directory, const std::string& path) {
  TRY(overlay_on(directory, path));
  return seal_later(path);
}

Status Root::cover_with_binds(int directory, const std::string& path) {
  const std::vector<std::string> names = names_in(directory, kMostNames);
  if (names.size() == kMostNames) {
    return plain_error(kMake, path, "it has too many entries to add one to",
                       "make the missing directory in it");
  }
  const os::Fd cover = TRY(path == "/" ? cover_top() : cover_with_scratch(directory, path));
  for (const std::string& name : names) {
    const std::string shown = path + "/" + name;
    const os::Fd source = TRY(os::open_at(directory, name, O_PATH | O_NOFOLLOW));
    const struct stat status = status_of(source.get());
    if (S_ISLNK(status.st_mode)) {
      char target[4096];
      const ssize_t length = ::readlinkat(directory, name.c_str(), target, sizeof target - 1);
      if (length < 0) return last_error(kMake, shown);
      target[length] = '\0';
      if (::symlinkat(target, cover.get(), name.c_str()) != 0) return last_error(kMake, shown);
      continue;
    }
    const int made = S_ISDIR(status.st_mode)
                         ? ::mkdirat(cover.get(), name.c_str(), 0755)
                         : ::mknodat(cover.get(), name.c_str(), S_IFREG | 0444, 0);
    if (made != 0) return last_error(kMake, shown);
    const os::Fd target = TRY(os::open_at(cover.get(), name, O_PATH | O_NOFOLLOW));
    TRY(os::mount_bind(source.get(), target.get(), shown));
  }
  return Done{};
}

}  // namespace rootlet::sandbox
