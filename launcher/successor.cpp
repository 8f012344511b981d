// SPDX-License-Identifier: MIT
#include "launcher/successor.hpp"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "runtime/run/paths.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kCopy = "copy the file";

Status copy_bytes(int from, int to, const std::string& name) {
  // Btrfs and XFS share the blocks: no copy at all (ioctl_ficlone(2)).
  if (::ioctl(to, FICLONE, from) == 0) return Done{};
  for (;;) {
    const ssize_t moved = ::copy_file_range(from, nullptr, to, nullptr, 1 << 30, 0);
    if (moved > 0) continue;
    if (moved == 0) return Done{};
    if (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS) break;
    return last_error(kCopy, name);
  }
  // Where the filesystem cannot: by hand, from where it stopped.
  std::vector<char> buffer(1 << 20);
  for (;;) {
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return last_error(kCopy, name);
    if (got == 0) return Done{};
    TRY(os::write_all(to, {buffer.data(), static_cast<std::size_t>(got)}, kCopy, name));
  }
}

// Of the caller's own making; what security modules keep is theirs to set.
void copy_attributes(int from, int to) {
  std::vector<char> names(65536), value(65536);
  const ssize_t size = ::flistxattr(from, names.data(), names.size());
  for (ssize_t at = 0; at < size;) {
    const char* name = names.data() + at;
    at += static_cast<ssize_t>(std::strlen(name)) + 1;
    if (std::strncmp(name, "user.", 5) != 0) continue;
    const ssize_t length = ::fgetxattr(from, name, value.data(), value.size());
    if (length >= 0) ::fsetxattr(to, name, value.data(), static_cast<std::size_t>(length), 0);
  }
}

}  // namespace

Status copy_standing(int from, int to, const std::string& name) {
  struct stat old {
  }, fresh{};
  if (::fstat(from, &old) != 0 || ::fstat(to, &fresh) != 0) return last_error(kCopy, name);
  const bool same = old.st_uid == fresh.st_uid && old.st_gid == fresh.st_gid;
  if (!same && ::fchown(to, old.st_uid, old.st_gid) != 0) {
    return last_error("keep the owner of", name, "do it as its owner, or as root");
  }
  copy_attributes(from, to);
  // After the owner: chown(2) takes set-user-id bits away.
  if (::fchmod(to, old.st_mode & 07777) != 0) return last_error("keep the mode of", name);
  return Done{};
}

Result<Successor> Successor::copy_of(const std::string& path) {
  return copy_to(path, real_path(path));
}

Result<Successor> Successor::copy_to(const std::string& path, const std::string& name) {
  os::Fd old = TRY(os::open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK));
  struct stat status {};
  if (::fstat(old.get(), &status) != 0) return last_error(kCopy, path);
  if (!S_ISREG(status.st_mode)) return plain_error(kCopy, path, "it is not a regular file");
  packaging::OutputFile output = TRY(packaging::OutputFile::create(name));
  TRY(copy_bytes(old.get(), output.fd(), path));
  return Successor(name, std::move(old), std::move(output));
}

Status Successor::appear(unsigned mode) { return output_.publish(mode); }

Status Successor::take_place() {
  TRY(copy_standing(old_.get(), output_.fd(), path_));
  struct stat status {};
  if (::fstat(output_.fd(), &status) != 0) return last_error(kCopy, path_);
  return output_.publish(status.st_mode & 07777);
}

}  // namespace rootlet
