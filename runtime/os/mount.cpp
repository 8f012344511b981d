// SPDX-License-Identifier: MIT
#include "runtime/os/mount.hpp"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/os/mountinfo.hpp"

namespace rootlet::os {
namespace {

constexpr std::string_view kRestrict = "make read-only";

// The MS_* flags that a remount must repeat: in a user namespace flags that
// came from the host are locked, and a remount without them is EPERM
// (mount_namespaces(7)). ST_* and MS_* are translated bit by bit: statvfs(3)
// promises no equality.
unsigned long kept_flags(const struct statvfs& fs) {
  unsigned long flags = 0;
  if (fs.f_flag & ST_RDONLY) flags |= MS_RDONLY;
  if (fs.f_flag & ST_NOSUID) flags |= MS_NOSUID;
  if (fs.f_flag & ST_NODEV) flags |= MS_NODEV;
  if (fs.f_flag & ST_NOEXEC) flags |= MS_NOEXEC;
  if (fs.f_flag & ST_NOATIME) flags |= MS_NOATIME;
  if (fs.f_flag & ST_NODIRATIME) flags |= MS_NODIRATIME;
  if (fs.f_flag & ST_RELATIME) flags |= MS_RELATIME;
  return flags;
}

Status remount(const std::string& path, unsigned long extra, const std::string& shown) {
  struct statvfs fs {};
  if (::statvfs(path.c_str(), &fs) != 0) return last_error(kRestrict, shown);
  const unsigned long flags = MS_REMOUNT | MS_BIND | kept_flags(fs) | extra;
  if (::mount(nullptr, path.c_str(), nullptr, flags, nullptr) != 0) {
    return last_error(kRestrict, shown);
  }
  return Done{};
}

// The mount that a descriptor stands for (proc(5), fdinfo, Linux 3.15).
Result<unsigned long> mount_id(int fd) {
  const std::string info =
      TRY(read_file(AT_FDCWD, "/proc/self/fdinfo/" + std::to_string(fd), 4096));
  const std::size_t at = info.find("mnt_id:");
  return at == std::string::npos ? 0 : std::strtoul(info.c_str() + at + 7, nullptr, 10);
}

// The mounts below the one that `root` stands for, as paths relative to it.
// By their numbers: while a root is being built two trees have the same names.
Result<std::vector<std::string>> mounts_below(int root) {
  const unsigned long top = TRY(mount_id(root));
  const std::vector<MountEntry> all = TRY(list_mounts());
  std::vector<const MountEntry*> tree;
  for (const MountEntry& mount : all) {
    if (mount.id == top) tree.push_back(&mount);
  }
  std::vector<std::string> found;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const std::size_t length = tree[0]->point == "/" ? 0 : tree[0]->point.size();
    for (const MountEntry& mount : all) {
      if (mount.parent != tree[i]->id || mount.id == top) continue;
      tree.push_back(&mount);
      found.push_back(mount.point.substr(std::min(length, mount.point.size())));
    }
  }
  return found;
}

Status restrict_one_by_one(int root, unsigned long long attributes, const std::string& shown) {
  unsigned long extra = 0;
  if (attributes & MOUNT_ATTR_RDONLY) extra |= MS_RDONLY;
  if (attributes & MOUNT_ATTR_NOSUID) extra |= MS_NOSUID;
  if (attributes & MOUNT_ATTR_NODEV) extra |= MS_NODEV;
  TRY(remount(fd_path(root), extra, shown));
  // Found from the descriptor: the same path from "/" may lead elsewhere.
  for (const std::string& path : TRY(mounts_below(root))) {
    auto done = remount(fd_path(root) + path, extra, path);
    // In a directory that we may not enter, or below another mount: the tool,
    // which has fewer rights, cannot reach it either.
    if (!done.ok() && done.error().code != EACCES && done.error().code != ENOENT) return done;
  }
  return Done{};
}

constexpr std::uint64_t kFuseMagic = 0x65735546;  // FUSE_SUPER_MAGIC, statfs(2)

// Of statmount(2), Linux 6.8; newer than the headers of Debian 12.
constexpr long kStatmount = 457;
constexpr unsigned kUniqueMountId = 0x4000;  // STATX_MNT_ID_UNIQUE
struct MountQuestion {
  std::uint32_t size = sizeof(MountQuestion), spare = 0;
  std::uint64_t mount = 0;
  std::uint64_t wanted = 1;  // STATMOUNT_SB_BASIC
};
struct MountAnswer {
  std::uint32_t size, options;
  std::uint64_t given;
  std::uint32_t major, minor;
  std::uint64_t magic;
  std::uint64_t rest[60];
};

// The kind of file system, without a question to the server of a FUSE one, which
// may be asleep on another processor; statfs(2) asks it.
std::optional<std::uint64_t> magic_of(int fd) {
  struct statx status {};
  MountQuestion question;
  MountAnswer answer{};
  if (::statx(fd, "", AT_EMPTY_PATH, kUniqueMountId, &status) == 0 &&
      (status.stx_mask & kUniqueMountId) != 0) {
    question.mount = status.stx_mnt_id;
    if (::syscall(kStatmount, &question, &answer, sizeof answer, 0) == 0 &&
        (answer.given & question.wanted) != 0) {
      return answer.magic;
    }
  }
  struct statfs fs {};
  if (::fstatfs(fd, &fs) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(fs.f_type);
}

}  // namespace

Status mount_new(const char* type, int target, unsigned long flags, const std::string& options,
                 const std::string& shown) {
  if (::mount("rootlet", fd_path(target).c_str(), type, flags, options.c_str()) != 0) {
    return last_error(std::string("mount ") + type, shown);
  }
  return Done{};
}

namespace {

// A copy of the tree that `source` stands for, attached at `target`: mount(2)
// would have to look both up in /proc. Invalid: these calls (Linux 5.2, and
// what a container's filter lets through) cannot do it.
Fd attach_copy(int source, int target, unsigned recursive) {
  static bool refused = false;
  if (refused) return Fd();
  Fd copy(static_cast<int>(::syscall(
      SYS_open_tree, source, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive)));
  constexpr unsigned kHere = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  if (copy.valid() && ::syscall(SYS_move_mount, copy.get(), "", target, "", kHere) != 0) {
    copy.reset();
  }
  refused = !copy.valid() && (errno == ENOSYS || errno == EPERM || errno == EACCES);
  return copy;
}

}  // namespace

Result<Fd> mount_bind(int source, int target, const std::string& shown) {
  Fd copy = attach_copy(source, target, AT_RECURSIVE);
  if (copy.valid()) return copy;
  const unsigned long flags = MS_BIND | MS_REC;
  if (::mount(fd_path(source).c_str(), fd_path(target).c_str(), nullptr, flags, nullptr) != 0) {
    return last_error("bind", shown);
  }
  return Fd();
}

Result<Fd> mount_bind_of_host(int source, int target, const std::string& shown, bool& below) {
  below = false;
  // Without what is below it the kernel refuses what has locked mounts there.
  Fd copy = attach_copy(source, target, 0);
  if (copy.valid()) return copy;
  if (::mount(fd_path(source).c_str(), fd_path(target).c_str(), nullptr, MS_BIND, nullptr) == 0) {
    return Fd();
  }
  if (errno != EINVAL) return last_error("bind", shown);
  below = true;
  return mount_bind(source, target, shown);
}

bool was_busy_for_a_moment(int& tries) {
  constexpr int kMost = 1000;
  constexpr timespec kMoment{0, 100'000};
  if (errno != EBUSY || ++tries > kMost) return false;
  ::nanosleep(&kMoment, nullptr);
  return true;
}

Status restrict_mount(int root, unsigned long long attributes, const std::string& shown,
                      Later later) {
  struct mount_attr attr {};
  attr.attr_set = attributes;
  if (later == Later::kept_out) attr.propagation = MS_PRIVATE;
  const unsigned flags = AT_EMPTY_PATH | AT_RECURSIVE;
  int tries = 0;
  do {
    if (::syscall(SYS_mount_setattr, root, "", flags, &attr, sizeof attr) == 0) return Done{};
  } while (was_busy_for_a_moment(tries));
  // ENOSYS: Linux < 5.12, or a container runtime's filter that is older.
  if (errno != ENOSYS) return last_error(kRestrict, shown);
  if (later == Later::kept_out) TRY(make_private(root, shown));
  return restrict_one_by_one(root, attributes, shown);
}

Status make_private(int root, const std::string& shown) {
  if (::mount(nullptr, fd_path(root).c_str(), nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return last_error("keep mounts private", shown);
  }
  return Done{};
}

bool is_fuse(int fd) {
  static std::vector<std::pair<dev_t, bool>> known;
  struct stat status {};
  if (::fstat(fd, &status) != 0) return false;
  for (const auto& [device, fuse] : known) {
    if (device == status.st_dev) return fuse;
  }
  const auto magic = magic_of(fd);
  if (!magic) return false;
  known.emplace_back(status.st_dev, *magic == kFuseMagic);
  return known.back().second;
}

Result<Fd> open_mounted(int parent, const std::string& name) {
  return open_at(parent, name, O_PATH | O_DIRECTORY);
}

}  // namespace rootlet::os
