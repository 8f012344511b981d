// SPDX-License-Identifier: MIT
#include "launcher/learn/path_calls.hpp"

#include <fcntl.h>
#include <sys/syscall.h>

#include <array>

namespace rootlet::learn {
namespace {

using Intent = PathArgument::Intent;

constexpr int kNone = -1;
constexpr bool kFollow = true, kStay = false;

// Where a call has its path. `flags`: the index of its AT_* flags.
struct Row {
  int number;
  int directory, path, flags;
  Intent intent;
  bool follow;  // where no flag says otherwise
};

constexpr Row kRows[] = {
#ifdef __NR_open
    {__NR_stat, kNone, 0, kNone, Intent::metadata, kFollow},
    {__NR_lstat, kNone, 0, kNone, Intent::metadata, kStay},
    {__NR_access, kNone, 0, kNone, Intent::metadata, kFollow},
    {__NR_readlink, kNone, 0, kNone, Intent::metadata, kStay},
    {__NR_utime, kNone, 0, kNone, Intent::change, kFollow},
    {__NR_utimes, kNone, 0, kNone, Intent::change, kFollow},
    {__NR_futimesat, 0, 1, kNone, Intent::change, kFollow},
    {__NR_chmod, kNone, 0, kNone, Intent::change, kFollow},
    {__NR_chown, kNone, 0, kNone, Intent::change, kFollow},
    {__NR_lchown, kNone, 0, kNone, Intent::change, kStay},
    {__NR_mkdir, kNone, 0, kNone, Intent::create, kStay},
    {__NR_mknod, kNone, 0, kNone, Intent::create, kStay},
    {__NR_unlink, kNone, 0, kNone, Intent::remove, kStay},
    {__NR_rmdir, kNone, 0, kNone, Intent::remove, kStay},
    {__NR_symlink, kNone, 1, kNone, Intent::create, kStay},
    {__NR_link, kNone, 0, kNone, Intent::keep, kStay},
    {__NR_link, kNone, 1, kNone, Intent::create, kStay},
    {__NR_rename, kNone, 0, kNone, Intent::remove, kStay},
    {__NR_rename, kNone, 1, kNone, Intent::replace, kStay},
#endif
    {__NR_newfstatat, 0, 1, 3, Intent::metadata, kFollow},
    {__NR_statx, 0, 1, 2, Intent::metadata, kFollow},
    {__NR_statfs, kNone, 0, kNone, Intent::metadata, kFollow},
    {__NR_faccessat, 0, 1, kNone, Intent::metadata, kFollow},
    {__NR_faccessat2, 0, 1, 3, Intent::metadata, kFollow},
    {__NR_readlinkat, 0, 1, kNone, Intent::metadata, kStay},
    {__NR_getxattr, kNone, 0, kNone, Intent::metadata, kFollow},
    {__NR_lgetxattr, kNone, 0, kNone, Intent::metadata, kStay},
    {__NR_listxattr, kNone, 0, kNone, Intent::metadata, kFollow},
    {__NR_llistxattr, kNone, 0, kNone, Intent::metadata, kStay},
    {__NR_chdir, kNone, 0, kNone, Intent::metadata, kFollow},
    {__NR_chroot, kNone, 0, kNone, Intent::metadata, kFollow},
    {__NR_inotify_add_watch, kNone, 1, kNone, Intent::metadata, kFollow},
    {__NR_name_to_handle_at, 0, 1, kNone, Intent::metadata, kFollow},
    {__NR_utimensat, 0, 1, 3, Intent::change, kFollow},
    {__NR_fchmodat, 0, 1, kNone, Intent::change, kFollow},
    {452, 0, 1, 3, Intent::change, kFollow},  // fchmodat2
    {__NR_fchownat, 0, 1, 4, Intent::change, kFollow},
    {__NR_setxattr, kNone, 0, kNone, Intent::change, kFollow},
    {__NR_lsetxattr, kNone, 0, kNone, Intent::change, kStay},
    {__NR_removexattr, kNone, 0, kNone, Intent::change, kFollow},
    {__NR_lremovexattr, kNone, 0, kNone, Intent::change, kStay},
    {__NR_truncate, kNone, 0, kNone, Intent::change, kFollow},
    {__NR_mkdirat, 0, 1, kNone, Intent::create, kStay},
    {__NR_mknodat, 0, 1, kNone, Intent::create, kStay},
    {__NR_unlinkat, 0, 1, kNone, Intent::remove, kStay},
    {__NR_symlinkat, 1, 2, kNone, Intent::create, kStay},
    {__NR_linkat, 0, 1, 4, Intent::keep, kStay},
    {__NR_linkat, 2, 3, kNone, Intent::create, kStay},
    {__NR_renameat, 0, 1, kNone, Intent::remove, kStay},
    {__NR_renameat, 2, 3, kNone, Intent::replace, kStay},
    {__NR_renameat2, 0, 1, kNone, Intent::remove, kStay},
    {__NR_renameat2, 2, 3, kNone, Intent::replace, kStay},
    {__NR_execve, kNone, 0, kNone, Intent::execute, kFollow},
    {__NR_execveat, 0, 1, 4, Intent::execute, kFollow},
};

constexpr std::size_t kMostCalls = 512;

// Most calls take no path: one look says so.
constexpr auto kTakesPath = [] {
  std::array<bool, kMostCalls> known{};
  for (const Row& row : kRows) known[static_cast<std::size_t>(row.number)] = true;
  return known;
}();

PathArgument argument_of(const Row& row, const seccomp_data& call) {
  PathArgument path;
  if (row.directory != kNone) path.directory = static_cast<int>(call.args[row.directory]);
  path.address = call.args[row.path];
  path.intent = row.intent;
  path.follow = row.follow;
  const std::uint64_t flags = row.flags == kNone ? 0 : call.args[row.flags];
  if (flags & AT_SYMLINK_NOFOLLOW) path.follow = false;
  if (row.intent == Intent::keep && (flags & AT_SYMLINK_FOLLOW)) path.follow = true;
  return path;
}

PathArgument opened(int directory, std::uint64_t address, std::uint64_t flags) {
  // O_CREAT|O_EXCL makes a file of this very name or none (open(2)).
  const bool exclusive = (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
  return {directory, address, Intent::open, !(flags & O_NOFOLLOW) && !exclusive, flags};
}

}  // namespace

std::vector<PathArgument> path_arguments(const seccomp_data& call) {
  const auto* args = call.args;
  switch (call.nr) {
#ifdef __NR_open
    case __NR_open: return {opened(AT_FDCWD, args[0], args[1])};
    case __NR_creat: return {opened(AT_FDCWD, args[0], O_CREAT | O_WRONLY | O_TRUNC)};
#endif
    case __NR_openat: return {opened(static_cast<int>(args[0]), args[1], args[2])};
    case __NR_openat2: {
      PathArgument path = opened(static_cast<int>(args[0]), args[1], args[2]);
      path.behind_pointer = true;
      return {path};
    }
    default: break;
  }
  std::vector<PathArgument> paths;
  const auto number = static_cast<std::size_t>(call.nr);
  if (number >= kMostCalls || !kTakesPath[number]) return paths;
  for (const Row& row : kRows) {
    if (row.number == call.nr) paths.push_back(argument_of(row, call));
  }
  return paths;
}

}  // namespace rootlet::learn
