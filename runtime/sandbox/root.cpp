// SPDX-License-Identifier: MIT
#include "runtime/sandbox/root.hpp"

#include <dirent.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include <algorithm>
#include <utility>

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

// The image server gives an empty directory the size 0, so that nobody needs
// to list it; other file systems are listed.
bool is_served_empty(int directory) {
  constexpr long kFuse = 0x65735546;  // FUSE_SUPER_MAGIC, statfs(2)
  const struct stat status = status_of(directory);
  struct statfs fs {};
  return S_ISDIR(status.st_mode) && status.st_size == 0 && ::fstatfs(directory, &fs) == 0 &&
         fs.f_type == kFuse;
}

bool is_empty(int directory) {
  return is_served_empty(directory) || names_in(directory, 1).empty();
}

}  // namespace

Result<os::Fd> Root::open(const std::string& path, int flags) const {
  return resolve_in_root(root_.get(), path, flags);
}

void Root::look_around() const {
  const os::Fd top(::openat(root_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  char names[16384];
  // One page of names is enough; a failure shows when a name is needed.
  (void)::syscall(SYS_getdents64, top.get(), names, sizeof names);
}

bool Root::has_entries(const std::string& path) const {
  auto directory = open(path);
  return directory.ok() && !is_empty(directory.value().get());
}

bool Root::is_ours(int directory) const {
  const dev_t device = device_of(directory);
  return std::find(our_devices_.begin(), our_devices_.end(), device) != our_devices_.end();
}

bool Root::parent_is_empty(const std::string& path) const {
  const std::size_t slash = path.rfind('/');
  if (slash == 0 || slash == std::string::npos) return false;
  auto parent = open(path.substr(0, slash));
  return parent.ok() && is_served_empty(parent.value().get());
}

Status Root::make(const std::string& path, bool directory) {
  // Each round either finds the path, or makes one more component of it.
  for (int round = 0; round < 128; ++round) {
    // A directory that is known to be empty need not be asked for the name.
    if (round == 0 && bare_ && parent_is_empty(path)) {
      TRY(cover(path.substr(0, path.rfind('/'))));
    }
    auto found = open(path);
    if (found.ok()) {
      const struct stat status = status_of(found.value().get());
      const struct stat top = status_of(root_.get());
      if (status.st_dev == top.st_dev && status.st_ino == top.st_ino) {
        return plain_error(kMake, path, "it is the root itself, which would be covered whole");
      }
      const bool is_directory = S_ISDIR(status.st_mode);
      if (is_directory == directory) return Done{};
      return plain_error(
          kMake, path,
          directory ? "the image has a file there" : "the image has a directory there");
    }
    if (found.error().code != ENOENT) return found.error();

    const Missing missing = TRY(find_missing(root_.get(), path));
    if (!is_ours(missing.parent.get())) {
      if (!bare_) {
        return plain_error(kMake, path, "the directory bound there has no such entry",
                           "make it on the host first; nothing is made there for you");
      }
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

// A new empty directory in the run's memory. That file system is mounted on
// /dev first and lies hidden below what is shown there.
Result<os::Fd> Root::scratch_directory(unsigned mode) {
  if (!scratch_.valid()) {
    // The image could lead the way to /dev back here, round and round.
    if (std::exchange(making_scratch_, true)) {
      return plain_error(kMake, "/dev", "the image leads it elsewhere",
                         "rebuild the image with an empty directory /dev");
    }
    TRY(make("/dev", true));
    const os::Fd place = TRY(open("/dev"));
    TRY(os::mount_new("tmpfs", place.get(), kTmpfsFlags, "mode=700,size=" + memory_, "/dev"));
    scratch_ = TRY(open("/dev"));
    our_devices_.push_back(device_of(scratch_.get()));
  }
  const std::string name = std::to_string(scratch_count_++);
  if (::mkdirat(scratch_.get(), name.c_str(), 0700) != 0) return last_error(kMake, name);
  os::Fd directory = TRY(os::open_at(scratch_.get(), name, O_PATH | O_NOFOLLOW));
  // mkdir(2) subtracts the caller's umask.
  if (::chmod(os::fd_path(directory.get()).c_str(), mode) != 0) return last_error(kMake, name);
  return directory;
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
  covers_.push_back("/");
  return open("/");
}

Result<os::Fd> Root::cover_with_scratch(int directory, const std::string& path) {
  const os::Fd source = TRY(scratch_directory(status_of(directory).st_mode & 07777));
  TRY(os::mount_bind(source.get(), directory, path));
  covers_.push_back(path);
  return open(path);
}

Status Root::cover_with_overlay(int directory, const std::string& path) {
  const os::Fd upper = TRY(scratch_directory(status_of(directory).st_mode & 07777));
  const os::Fd work = TRY(scratch_directory(0700));
  // userxattr: Linux 5.11+, needed where trusted.* may not be written.
  const std::string options = "lowerdir=" + os::fd_path(directory) +
                              ",upperdir=" + os::fd_path(upper.get()) +
                              ",workdir=" + os::fd_path(work.get()) + ",userxattr";
  TRY(os::mount_new("overlay", directory, kTmpfsFlags, options, path));
  const os::Fd cover = TRY(open(path));
  our_devices_.push_back(device_of(cover.get()));
  covers_.push_back(path);
  return Done{};
}

Status Root::cover_with_binds(int directory, const std::string& path) {
  const std::vector<std::string> names = names_in(directory, 4096);
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

Status Root::bind(int source, const std::string& target, bool directory, bool writable) {
  TRY(make(target, directory));
  const os::Fd place = TRY(open(target));
  TRY(os::mount_bind(source, place.get(), target));
  const os::Fd mounted = TRY(open(target));
  const unsigned long long attributes =
      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (writable ? 0 : MOUNT_ATTR_RDONLY);
  return os::restrict_mount(mounted.get(), attributes, target);
}

Status Root::scratch(const std::string& target, unsigned mode, bool read_only) {
  TRY(make(target, true));
  const os::Fd source = TRY(scratch_directory(mode));
  const os::Fd place = TRY(open(target));
  TRY(os::mount_bind(source.get(), place.get(), target));
  if (read_only) covers_.push_back(target);
  return Done{};
}

Status Root::text(const std::string& target, const std::string& content) {
  const os::Fd directory = TRY(scratch_directory(0755));
  {
    const os::Fd file =
        TRY(os::open_at(directory.get(), "file", O_CREAT | O_EXCL | O_WRONLY, 0444));
    TRY(os::write_all(file.get(), content, "write", target));
  }
  const os::Fd source = TRY(os::open_at(directory.get(), "file", O_PATH));
  return bind(source.get(), target, false, false);
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
