// SPDX-License-Identifier: MIT
#include <sys/mount.h>
#include <unistd.h>

#include "runtime/os/mount.hpp"
#include "runtime/sandbox/inode.hpp"
#include "runtime/sandbox/root.hpp"

// The writable layer over all of the root.
namespace rootlet::sandbox {
namespace {

constexpr std::string_view kLayer = "lay a writable layer over the root";

// A directory of the layer, there already if it persists.
Result<os::Fd> layer_directory(int layer, const std::string& name, unsigned mode) {
  if (::mkdirat(layer, name.c_str(), mode) == 0) {
    // mkdir(2) subtracts the caller's umask.
    if (::fchmodat(layer, name.c_str(), mode, 0) != 0) return last_error(kLayer, name);
  } else if (errno != EEXIST) {
    return last_error(kLayer, name);
  }
  return os::open_at(layer, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

// The directory as this mount namespace has it: an overlay takes no layer from
// another one (EINVAL, seen on Linux 6.18). It must still be the one locked.
Result<os::Fd> reopened(const Overlay& overlay) {
  os::Fd here = TRY(os::open_at(AT_FDCWD, overlay.directory, O_RDONLY | O_DIRECTORY));
  const struct stat locked = status_of(overlay.fd);
  const struct stat found = status_of(here.get());
  if (locked.st_dev == found.st_dev && locked.st_ino == found.st_ino) return here;
  return plain_error(kLayer, overlay.directory, "another directory has taken its place");
}

Error explain_overlay_failure(int code, const std::string& shown) {
  Error error{code, std::string(kLayer), shown, "", ""};
  if (code == EPERM || code == ENODEV) {
    error.hint = "overlay file systems in user namespaces need Linux 5.11";
  } else if (code == EINVAL) {
    error.hint = "its file system cannot hold a layer; take a directory on a local disk, or " +
                 option_text("overlay") + "=tmpfs";
  } else if (code == EBUSY) {
    error.hint = "another mount uses this directory";
  }
  return error;
}

}  // namespace

Status Root::lay(const std::string& layers, const std::string& shown) {
  // userxattr: Linux 5.11, needed where trusted.* may not be written.
  if (::mount("rootlet", "/", "overlay", kTmpfsFlags, (layers + ",userxattr").c_str()) != 0) {
    return explain_overlay_failure(errno, shown);
  }
  root_ = TRY(os::open_mounted(AT_FDCWD, "/.."));
  ++layers_;
  return Done{};
}

Status Root::lay_on(int base) {
  ++layers_;
  // xino: one device for the files of both (du -x, find -xdev), whose inode
  // numbers are small. Documentation/filesystems/overlayfs.rst.
  return lay("lowerdir=" + os::fd_path(root_.get()) + ":" + os::fd_path(base) + ",xino=on",
             "the base");
}

Status Root::lay_over(const Overlay& overlay) {
  const std::string shown = overlay.directory.empty() ? "in memory" : overlay.directory;
  os::Fd layer;
  if (overlay.directory.empty()) {
    if (::mount("rootlet", "/", "tmpfs", kTmpfsFlags, ("mode=700,size=" + overlay.size).c_str()) !=
        0) {
      return last_error(kLayer, shown);
    }
    layer = TRY(os::open_mounted(AT_FDCWD, "/.."));
    ++layers_;
  } else {
    layer = TRY(reopened(overlay));
  }
  const os::Fd upper =
      TRY(layer_directory(layer.get(), "upper", status_of(root_.get()).st_mode & 0777));
  const os::Fd work = TRY(layer_directory(layer.get(), "work", 0700));
  TRY(lay("lowerdir=" + os::fd_path(root_.get()) + ",upperdir=" + os::fd_path(upper.get()) +
              ",workdir=" + os::fd_path(work.get()),
          shown));
  our_devices_.push_back(device_of(root_.get()));
  return Done{};
}

}  // namespace rootlet::sandbox
