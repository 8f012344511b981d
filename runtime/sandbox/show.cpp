// SPDX-License-Identifier: MIT
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "runtime/os/mount.hpp"
#include "runtime/sandbox/inode.hpp"
#include "runtime/sandbox/resolve.hpp"
#include "runtime/sandbox/root.hpp"

// What is shown at a path of the root.
namespace rootlet::sandbox {

bool Root::is_file(const std::string& path) const {
  auto found = open(path);
  return found.ok() && S_ISREG(status_of(found.value().get()).st_mode);
}

Status Root::bind(int source, const std::string& target, bool directory, bool writable,
                  bool devices) {
  const os::Fd place = TRY(make(target, directory));
  bool mounts_below = false;
  os::Fd mounted = TRY(os::mount_bind_of_host(source, place.get(), target, mounts_below));
  bound_mounts_below_ = bound_mounts_below_ || mounts_below;
  bound_devices_.push_back(device_of(source));
  if (!mounted.valid()) mounted = TRY(open(target));
  const unsigned long long attributes =
      MOUNT_ATTR_NOSUID | (devices ? 0 : MOUNT_ATTR_NODEV) | (writable ? 0 : MOUNT_ATTR_RDONLY);
  // What the host mounts below it later would arrive with the host's flags.
  return os::restrict_mount(mounted.get(), attributes, target,
                            writable ? os::Later::follows : os::Later::kept_out);
}

bool Root::may_show(dev_t device) const {
  return bound_mounts_below_ ||
         std::find(bound_devices_.begin(), bound_devices_.end(), device) != bound_devices_.end();
}

Status Root::guard(const std::string& target, const Guard& guard) {
  const os::Fd bound = TRY(open(target));
  const auto find = [&] { return resolve_in_root(bound.get(), guard.path, O_PATH | O_NOFOLLOW); };
  auto part = find();
  if (!part.ok()) {
    // Gone since the plan was made, or out of init's reach, and the tool's,
    // which has fewer rights.
    const int code = part.error().code;
    if (code == ENOENT || code == EACCES || code == ENOTDIR) return Done{};
    return std::move(part).error();
  }
  os::Fd mounted = TRY(os::mount_bind(part.value().get(), part.value().get(), guard.path));
  if (guard.writable) return Done{};
  if (!mounted.valid()) mounted = TRY(find());
  return os::restrict_mount(mounted.get(), MOUNT_ATTR_RDONLY, guard.path);
}

Status Root::scratch(const std::string& target, unsigned mode, bool read_only) {
  const os::Fd source = TRY(scratch_directory(mode));
  const os::Fd place = TRY(make(target, true));
  TRY(os::mount_bind(source.get(), place.get(), target));
  return read_only ? seal_later(target) : Done{};
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

Status Root::hide(const std::string& target) {
  auto found = open(target);
  if (!found.ok()) {
    // Gone, or as closed to the tool, which has fewer rights, as it is to us;
    // ELOOP: a name that went through another process's descriptor.
    const int code = found.error().code;
    if (code == ENOENT || code == ENOTDIR || code == EACCES || code == ELOOP) return Done{};
    return found.error();
  }
  const mode_t mode = status_of(found.value().get()).st_mode;
  if (S_ISDIR(mode)) return scratch(target, 0555, true);
  // Anyone can bind a socket of any name in a root of his own, and so make us
  // hide a file that only is called so.
  if (!S_ISSOCK(mode)) return Done{};
  return text(target, "");
}

Status Root::make_writable(const std::string& target) {
  auto found = open(target);
  if (found.ok() && S_ISREG(status_of(found.value().get()).st_mode)) return copy_file(target);
  TRY(make(target, true));
  if (!has_entries(target)) {
    const os::Fd place = TRY(open(target));
    return scratch(target, status_of(place.get()).st_mode & 07777, false);
  }
  const os::Fd directory = TRY(open(target));
  auto merged = overlay_on(directory.get(), target);
  if (merged.ok()) return Done{};
  Error error = std::move(merged).error();
  error.action = "make writable";
  error.hint = "the image has files there, and only Linux 5.11 can lay a layer over them";
  return error;
}

// A file of its own with the content of the one at `target`, over it.
Status Root::copy_file(const std::string& target) {
  const os::Fd from = TRY(open(target, O_RDONLY));
  const os::Fd directory = TRY(scratch_directory(0755));
  const os::Fd to = TRY(os::open_at(directory.get(), "file", O_CREAT | O_EXCL | O_WRONLY, 0600));
  std::vector<char> block(1u << 16);
  for (;;) {
    const ssize_t got = ::read(from.get(), block.data(), block.size());
    if (got < 0) return last_error("read", target);
    if (got == 0) break;
    TRY(os::write_all(to.get(), {block.data(), static_cast<std::size_t>(got)}, "make writable",
                      target));
  }
  if (::fchmod(to.get(), status_of(from.get()).st_mode & 0777) != 0) {
    return last_error("make writable", target);
  }
  const os::Fd source = TRY(os::open_at(directory.get(), "file", O_PATH));
  return bind(source.get(), target, false, true);
}

}  // namespace rootlet::sandbox
