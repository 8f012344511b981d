// SPDX-License-Identifier: MIT
#include "runtime/sandbox/root.hpp"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <utility>

#include "runtime/os/mount.hpp"
#include "runtime/sandbox/inode.hpp"
#include "runtime/sandbox/resolve.hpp"

namespace rootlet::sandbox {
namespace {

constexpr std::string_view kMake = "make a place in the root";

}  // namespace

Result<os::Fd> Root::open(const std::string& path, int flags) const {
  return resolve_in_root(root_.get(), path, flags);
}

void Root::look_around() const {
  const os::Fd top(::openat(root_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  char names[16384];
  // To the end: then the kernel has the listing, and of a shared server no other
  // run asks for it. A failure shows when a name is needed.
  while (::syscall(SYS_getdents64, top.get(), names, sizeof names) > 0) continue;
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
    const os::Fd place = TRY(make("/dev", true));
    TRY(os::mount_new("tmpfs", place.get(), kTmpfsFlags, "mode=700,size=" + memory_, "/dev"));
    scratch_ = TRY(open("/dev"));
    our_devices_.push_back(device_of(scratch_.get()));
  }
  const std::string name = std::to_string(scratch_count_++);
  if (::mkdirat(scratch_.get(), name.c_str(), mode) != 0) return last_error(kMake, name);
  return os::open_at(scratch_.get(), name, O_PATH | O_NOFOLLOW);
}

Status Root::seal_later(const std::string& path) {
  covers_.emplace_back(path, TRY(open(path)));
  return Done{};
}

Status Root::mount(const char* type, const std::string& target, unsigned long flags,
                   const std::string& options) {
  const os::Fd place = TRY(make(target, true));
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
  for (const auto& [path, cover] : covers_) {
    // This mount alone: what was mounted on it keeps its own flags.
    constexpr unsigned long kFlags = MS_REMOUNT | MS_BIND | MS_RDONLY | kTmpfsFlags;
    int tries = 0;
    while (::mount(nullptr, os::fd_path(cover.get()).c_str(), nullptr, kFlags, nullptr) != 0) {
      if (!os::was_busy_for_a_moment(tries)) return last_error("make read-only", path);
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
