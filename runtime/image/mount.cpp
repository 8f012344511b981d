// SPDX-License-Identifier: MIT
#include "runtime/image/mount.hpp"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "runtime/image/extract.hpp"
#include "runtime/os/mount.hpp"

namespace rootlet::image {
namespace {

constexpr std::string_view kMount = "mount the image";
constexpr unsigned long kFlags = MS_NOSUID | MS_NODEV;

Error no_fuse(Error error) {
  error.hint =
      error.code == ENOENT || error.code == ENODEV || error.code == ENXIO
          ? "load the module (modprobe fuse), or leave out mount=private, and the image is unpacked"
          : "let users open /dev/fuse (mode 0666), or leave out mount=private, and the image is "
            "unpacked";
  return error;
}

Status attach(int mount, const std::string& target) {
  if (::syscall(SYS_move_mount, mount, "", AT_FDCWD, target.c_str(),
                MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) != 0) {
    return last_error(kMount, "a mount made before");
  }
  return Done{};
}

// What a shared server gave is what it says, a FUSE file system, and gets the
// flags that matter here, whatever it had.
Status attach_shared(int mount, const std::string& target) {
  TRY(attach(mount, target));
  TRY(os::restrict_mount(mount, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
                         "the shared image"));
  if (!os::is_fuse(mount)) return plain_error(kMount, "shared", "it is no FUSE file system");
  return Done{};
}

Status mount_served(int channel, const std::string& target, Owner owner) {
  const os::Fd fuse = TRY(open_fuse());
  TRY(mount_fuse(fuse.get(), target, owner));
  return hand_over(channel, fuse.get());
}

}  // namespace

Result<os::Fd> open_fuse() {
  auto device = os::open_at(AT_FDCWD, "/dev/fuse", O_RDWR);
  if (!device.ok()) return no_fuse(device.error());
  return device;
}

Status mount_fuse(int fuse, const std::string& target, Owner owner) {
  const std::string options = "fd=" + std::to_string(fuse) +
                              ",rootmode=40000,user_id=" + std::to_string(owner.uid) +
                              ",group_id=" + std::to_string(owner.gid) + ",default_permissions" +
                              (owner.among_others ? ",allow_other" : "");
  // Set-id programs of the root mean something where there is somebody to become.
  const bool set_id = owner.among_others && target == "/";
  const unsigned long flags = set_id ? kFlags & ~static_cast<unsigned long>(MS_NOSUID) : kFlags;
  if (::mount("rootlet", target.c_str(), "fuse.rootlet", flags | MS_RDONLY, options.c_str()) != 0) {
    Error error = last_error(kMount, "fuse");
    error.hint = error.code == EPERM
                     ? "FUSE in user namespaces needs Linux 4.18; mount=extract works without"
                     : "mount=extract works without FUSE";
    return error;
  }
  return Done{};
}

// By opening it: access(2) knows nothing of a device cgroup, of a module that
// is not loaded, or of a plain file of that name.
bool have_fuse() {
  constexpr unsigned kMisc = 10, kFuseMinor = 229;  // Documentation/admin-guide/devices.txt
  const os::Fd device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  struct stat status {};
  return device.valid() && ::fstat(device.get(), &status) == 0 && S_ISCHR(status.st_mode) &&
         status.st_rdev == makedev(kMisc, kFuseMinor);
}

Status mount_image(const Reached& image, const std::string& target, Owner owner) {
  if (!image.directory.empty()) {
    const os::Fd directory = TRY(os::open_path(image.directory));
    const os::Fd place = TRY(os::open_path(target));
    TRY(os::mount_bind(directory.get(), place.get(), image.directory));
    return Done{};
  }
  if (image.shared >= 0) return attach_shared(image.shared, target);
  if (image.kernel >= 0) return attach(image.kernel, target);
  if (image.unpack == nullptr) return mount_served(image.server, target, owner);
  if (::mount("rootlet", target.c_str(), "tmpfs", kFlags, "mode=755,size=100%") != 0) {
    return last_error("mount tmpfs", target);
  }
  return Done{};
}

Status complete_image(const Reached& image, int mounted, bool set_id) {
  if (image.unpack != nullptr) TRY(extract_all(*image.unpack, mounted));
  if (image.unpack == nullptr && image.directory.empty()) return Done{};
  const unsigned attributes = MOUNT_ATTR_NODEV | (image.writable ? 0 : MOUNT_ATTR_RDONLY);
  return os::restrict_mount(mounted, attributes | (set_id ? 0 : MOUNT_ATTR_NOSUID), image.name);
}

}  // namespace rootlet::image
