// SPDX-License-Identifier: MIT
#include "runtime/image/kernel_mount.hpp"

#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

namespace rootlet::image {
namespace {

constexpr std::string_view kMount = "mount the image by the kernel";

// Nobody else can change it: neither through its mode, nor as the server of
// the file system that it lies on.
Status check_file(int fd, const std::string& name) {
  constexpr long kFuse = 0x65735546;  // FUSE_SUPER_MAGIC, statfs(2)
  struct stat status {};
  struct statfs fs {};
  if (::fstat(fd, &status) != 0 || ::fstatfs(fd, &fs) != 0) return last_error(kMount, name);
  if (status.st_uid != 0 || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return plain_error(kMount, name, "others than root can write to it",
                       "chown root and chmod go-w it, or leave out mount=kernel");
  }
  if (fs.f_type == kFuse) {
    return plain_error(kMount, name, "it lies on a FUSE file system, whose server can change it",
                       "copy it to a disk, or leave out mount=kernel");
  }
  return Done{};
}

// A free loop device on the payload, read-only. It is let go of when its last
// user is: this descriptor, later the mount (LO_FLAGS_AUTOCLEAR).
Result<os::Fd> make_loop(const Payload& payload, std::string& device) {
  const os::Fd control = TRY(os::open_at(AT_FDCWD, "/dev/loop-control", O_RDWR));
  loop_config config{};
  config.fd = static_cast<__u32>(payload.fd);
  config.info.lo_offset = payload.offset;
  config.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
  for (int tries = 0; tries < 64; ++tries) {
    const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) return last_error("find a free loop device", "/dev/loop-control");
    device = "/dev/loop" + std::to_string(number);
    os::Fd loop = TRY(os::open_at(AT_FDCWD, device, O_RDONLY));
    if (::ioctl(loop.get(), LOOP_CONFIGURE, &config) == 0) return loop;
    if (errno == EBUSY) continue;  // somebody took it in between
    return last_error("set up a loop device", device,
                      errno == EINVAL ? "LOOP_CONFIGURE needs Linux 5.8" : "");
  }
  return plain_error("set up a loop device", device, "others take each free one first",
                     "run it again");
}

Error explain(Error error) {
  if (error.code == EPERM) {
    error.hint = "this takes the host's own root, not that of a container";
  } else if (error.code == ENODEV || error.code == EINVAL) {
    error.hint = "this kernel lacks squashfs or the image's compression; leave out mount=kernel";
  }
  return error;
}

}  // namespace

Result<os::Fd> mount_by_kernel(const Payload& payload, const std::string& name) {
  TRY(check_file(payload.fd, name));
  std::string device;
  const os::Fd loop = TRY(make_loop(payload, device));
  const os::Fd context(static_cast<int>(::syscall(SYS_fsopen, "squashfs", FSOPEN_CLOEXEC)));
  const auto configure = [&](unsigned command, const char* key, const char* value) {
    return ::syscall(SYS_fsconfig, context.get(), command, key, value, 0) == 0;
  };
  if (!context.valid() || !configure(FSCONFIG_SET_STRING, "source", device.c_str()) ||
      !configure(FSCONFIG_SET_FLAG, "ro", nullptr) ||
      !configure(FSCONFIG_CMD_CREATE, nullptr, nullptr)) {
    return explain(last_error(kMount, name));
  }
  os::Fd mount(
      static_cast<int>(::syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC,
                                 MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)));
  if (!mount.valid()) return explain(last_error(kMount, name));
  return mount;
}

}  // namespace rootlet::image
