// SPDX-License-Identifier: MIT
#include "runtime/sandbox/root.hpp"

#include <dirent.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>

#include "runtime/os/mount.hpp"
#include "runtime/sandbox/resolve.hpp"

namespace rootlet::sandbox {
namespace {

constexpr std::string_view kMake = "make a place in the root";
constexpr unsigned long kTmpfsFlags = MS_NOSUID | MS_NODEV;

dev_t device_of(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 ? status.st_dev : 0;
}

struct stat status_of(int fd) {
  struct stat status {};
  ::fstat(fd, &status);
  return status;
}

// The names in a directory, without "." and "..". At most `limit`.
std::vector<std::string> names_in(int directory, std::size_t limit) {
  std::vector<std::string> names;
  const int fd = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* listing = fd >= 0 ? ::fdopendir(fd) : nullptr;
  if (listing == nullptr) return names;
  while (const dirent* entry = ::readdir(listing)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
    if (names.size() == limit) break;
  }
  ::closedir(listing);
  return names;
}

}  // namespace

Result<os::Fd> Root::open(const std::string& path, int flags) const {
  return resolve_in_root(root_.get(), path, flags);
}

bool Root::has_entries(const std::string& path) const {
  auto directory = open(path);
  return directory.ok() && !names_in(directory.value().get(), 1).empty();
}

bool Root::is_ours(int directory) const {
  const dev_t device = device_of(directory);
  return std::find(our_devices_.begin(), our_devices_.end(), device) != our_devices_.end();
}

Status Root::make(const std::string& path, bool directory) {
  // Each round either finds the path, or makes one more component of it.
  for (int round = 0; round < 128; ++round) {
    auto found = open(path);
    if (found.ok()) {
      const bool is_directory = S_ISDIR(status_of(found.value().get()).st_mode);
      if (is_directory == directory) return Done{};
      return plain_error(kMake, path,
                         directory ? "the image has a file there" : "the image has a directory there");
    }
    if (found.error().code != ENOENT) return found.error();

    const Missing missing = TRY(find_missing(root_.get(), path));
    if (!is_ours(missing.parent.get())) {
      TRY(cover(missing.parent_path));
      continue;
    }
    const int made = missing.last && !directory
                         ? ::mknodat(missing.parent.get(), missing.name.c_str(), S_IFREG | 0444, 0)
                         : ::mkdirat(missing.parent.get(), missing.name.c_str(), 0755);
    if (made != 0) return last_error(kMake, path);
  }
  return plain_error(kMake, path, "too many levels", "use a shorter path");
}

// Host directories that were bound in are not covered: new names in them
// would vanish from a writable bind, and nothing is made on the host.
Status Root::cover(const std::string& path) {
  const os::Fd directory = TRY(open(path));
  if (path != "/" && names_in(directory.get(), 1).empty()) {
    TRY(cover_with_tmpfs(directory.get(), path));
    return Done{};
  }
  // The root itself is covered by a skeleton of binds: an overlay over all of
  // the image costs 12 % on metadata, the skeleton only its making.
  if (path == "/") return cover_with_binds(directory.get(), path);
  auto overlay = cover_with_overlay(directory.get(), path);
  if (overlay.ok()) return overlay;
  // Linux < 5.11 has no overlay in user namespaces.
  return cover_with_binds(directory.get(), path);
}

Result<os::Fd> Root::cover_with_tmpfs(int directory, const std::string& path) {
  char mode[16];
  std::snprintf(mode, sizeof mode, "mode=%o", status_of(directory).st_mode & 07777);
  if (path == "/") {
    // Mounted on what "/" of this namespace shows, then entered from above:
    // ".." of the root is the topmost mount on it (path_resolution(7)).
    if (::mount("rootlet", "/", "tmpfs", kTmpfsFlags, mode) != 0) return last_error(kMake, path);
    root_ = TRY(os::open_mounted(AT_FDCWD, "/.."));
    ++layers_;
  } else {
    TRY(os::mount_new("tmpfs", directory, kTmpfsFlags, mode, path));
  }
  os::Fd cover = TRY(open(path));
  our_devices_.push_back(device_of(cover.get()));
  covers_.push_back(path);
  return cover;
}

Status Root::cover_with_overlay(int directory, const std::string& path) {
  // Upper and work directory live in a tmpfs under the overlay: mounted on the
  // same place first, and out of sight once the overlay is on top of it.
  TRY(os::mount_new("tmpfs", directory, kTmpfsFlags, "mode=755", path));
  const os::Fd hidden = TRY(open(path));
  for (const char* name : {"upper", "work"}) {
    if (::mkdirat(hidden.get(), name, 0755) != 0) return last_error(kMake, path);
  }
  const std::string base = os::fd_path(hidden.get());
  // userxattr: Linux 5.11+, needed where trusted.* may not be written.
  const std::string options = "lowerdir=" + os::fd_path(directory) + ",upperdir=" + base +
                              "/upper,workdir=" + base + "/work,userxattr";
  if (::mount("rootlet", base.c_str(), "overlay", kTmpfsFlags, options.c_str()) != 0) {
    const Error failure = last_error(kMake, path);
    ::umount2(base.c_str(), MNT_DETACH);
    return failure;
  }
  const os::Fd cover = TRY(open(path));
  our_devices_.push_back(device_of(cover.get()));
  covers_.push_back(path);
  return Done{};
}

Status Root::cover_with_binds(int directory, const std::string& path) {
  const std::vector<std::string> names = names_in(directory, 4096);
  const os::Fd cover = TRY(cover_with_tmpfs(directory, path));
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

Status Root::bind(int source, const std::string& target, bool directory, bool writable) {
  TRY(make(target, directory));
  const os::Fd place = TRY(open(target));
  TRY(os::mount_bind(source, place.get(), target));
  const os::Fd mounted = TRY(open(target));
  const unsigned long long attributes =
      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (writable ? 0 : MOUNT_ATTR_RDONLY);
  return os::restrict_mount(mounted.get(), attributes, target);
}

Status Root::tmpfs(const std::string& target, unsigned mode, const std::string& size,
                   bool read_only) {
  char options[64];
  std::snprintf(options, sizeof options, "mode=%o,size=%s", mode,
                size.empty() ? "16m" : size.c_str());
  TRY(mount("tmpfs", target, kTmpfsFlags, options));
  const os::Fd mounted = TRY(open(target));
  our_devices_.push_back(device_of(mounted.get()));
  if (read_only) covers_.push_back(target);
  return Done{};
}

Status Root::mount(const char* type, const std::string& target, unsigned long flags,
                   const std::string& options) {
  TRY(make(target, true));
  const os::Fd place = TRY(open(target));
  return os::mount_new(type, place.get(), flags, options, target);
}

// The one mistake that would undo all the rest: something of the host left on
// top of the new root. "/.." is what a tool can reach of it.
Status Root::check_entered() const {
  const os::Fd above = TRY(os::open_mounted(AT_FDCWD, "/.."));
  const struct stat ours = status_of(root_.get());
  const struct stat top = status_of(above.get());
  if (ours.st_dev == top.st_dev && ours.st_ino == top.st_ino) return Done{};
  return plain_error("enter the new root", "/", "the host's root is still in sight");
}

Status Root::enter() && {
  constexpr std::string_view kEnter = "enter the new root";
  for (const std::string& path : covers_) {
    const os::Fd cover = TRY(open(path));
    // This mount alone: what was mounted on it keeps its own flags.
    if (::mount(nullptr, os::fd_path(cover.get()).c_str(), nullptr,
                MS_REMOUNT | MS_BIND | MS_RDONLY | kTmpfsFlags, nullptr) != 0) {
      return last_error("make read-only", path);
    }
  }
  if (::fchdir(root_.get()) != 0) return last_error(kEnter);
  // New and old root on the same directory: the old one lands on top of the
  // new and is taken off again, so the image needs no directory for it
  // (pivot_root(2), NOTES).
  if (::syscall(SYS_pivot_root, ".", ".") != 0) {
    return last_error(kEnter, "/",
                      "the host's root is an initramfs, which cannot be pivoted; start the node "
                      "with a root file system of its own");
  }
  // "." names the topmost mount here: first what lay between the host's root
  // and the new one (an image below its cover), then the host's root.
  for (int layer = 0; layer < layers_; ++layer) {
    if (::umount2(".", MNT_DETACH) != 0) return last_error(kEnter, "the host's root");
  }
  if (::chdir("/") != 0) return last_error(kEnter, "/");
  return check_entered();
}

}  // namespace rootlet::sandbox
