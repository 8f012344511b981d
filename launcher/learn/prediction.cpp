// SPDX-License-Identifier: MIT
#include "launcher/learn/prediction.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace rootlet::learn {
namespace {

using Intent = PathArgument::Intent;
constexpr unsigned kRead = 4, kWrite = 2, kExecute = 1;

}  // namespace

Prediction::Prediction() : uid_(::geteuid()) {
  const int count = ::getgroups(0, nullptr);
  groups_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  if (count > 0) ::getgroups(count, groups_.data());
  groups_.push_back(::getegid());
}

bool Prediction::may(unsigned mode, unsigned uid, unsigned gid, unsigned wanted) const {
  unsigned bits = mode & 7;
  if (uid == uid_) {
    bits = (mode >> 6) & 7;
  } else if (std::count(groups_.begin(), groups_.end(), gid) > 0) {
    bits = (mode >> 3) & 7;
  }
  return (bits & wanted) == wanted;
}

int Prediction::error_of_entry(const Found& found) const {
  if (found.read_only) return EROFS;
  const bool there = found.error == 0;
  // Of what is there the directory was not looked at.
  if (there || !found.directory_there) return there ? 0 : found.error;
  const bool allowed =
      may(found.directory_mode, found.directory_uid, found.directory_gid, kWrite | kExecute);
  return allowed ? 0 : EACCES;
}

int Prediction::error_of_open(std::uint64_t flags, const Found& found) const {
  if ((flags & O_TMPFILE) == O_TMPFILE)
    return found.error ? found.error : found.read_only ? EROFS : 0;
  if (found.error != 0) {
    if (!(flags & O_CREAT) || found.error != ENOENT) return found.error;
    return error_of_entry(found);
  }
  if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) return EEXIST;
  if (found.type == 'l') return flags & O_PATH ? 0 : ELOOP;
  if ((flags & O_DIRECTORY) && found.type != 'd') return ENOTDIR;
  if (flags & O_PATH) return 0;
  if (found.where == Where::system) return 0;
  const bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
  if (found.type == 'd' && (writes || (flags & O_CREAT))) return EISDIR;
  // A device and a pipe of a read-only mount can be written (path_resolution(7)).
  if (writes && found.read_only && found.type == 'f') return EROFS;
  const unsigned wanted = (writes ? kWrite : 0) | ((flags & O_ACCMODE) != O_WRONLY ? kRead : 0);
  return may(found.mode, found.uid, found.gid, wanted) ? 0 : EACCES;
}

int Prediction::error_of(const PathArgument& argument, const Found& found) const {
  switch (argument.intent) {
    case Intent::open: return error_of_open(argument.flags, found);
    case Intent::execute:
      if (found.error != 0) return found.error;
      if (found.type != 'f') return EACCES;
      return may(found.mode, found.uid, found.gid, kExecute) ? 0 : EACCES;
    case Intent::metadata: return found.error;
    case Intent::change:
      if (found.error != 0 || found.where == Where::system) return found.error;
      if (found.read_only) return EROFS;
      return found.uid == uid_ || may(found.mode, found.uid, found.gid, kWrite) ? 0 : EPERM;
    case Intent::create: return found.error == 0 ? EEXIST : error_of_entry(found);
    case Intent::replace:
      return found.error == 0 && found.read_only ? EROFS
             : found.error == 0                  ? 0
                                                 : error_of_entry(found);
    case Intent::keep: return found.error;
    case Intent::remove: return found.error != 0 ? found.error : error_of_entry(found);
  }
  return 0;
}

}  // namespace rootlet::learn
