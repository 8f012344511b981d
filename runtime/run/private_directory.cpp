// SPDX-License-Identifier: MIT
#include "runtime/run/private_directory.hpp"

#include <dirent.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cstdlib>

namespace rootlet {
namespace {

// A directory that only we can change, made if it is missing. A name that
// someone else took is never used, whatever lies in it.
Result<os::Fd> open_private(const std::string& path, std::string_view action, bool for_programs) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return last_error(action, path);
  os::Fd fd = TRY(os::open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  struct stat status {};
  struct statvfs fs {};
  if (::fstat(fd.get(), &status) != 0 || ::fstatvfs(fd.get(), &fs) != 0) {
    return last_error(action, path);
  }
  if (status.st_uid != ::geteuid() || (status.st_mode & 077) != 0) {
    return plain_error(action, path, "it is not a private directory of yours");
  }
  if (for_programs && (fs.f_flag & ST_NOEXEC)) {
    return plain_error(action, path, "programs there may not be executed (noexec)");
  }
  return fd;
}

// The same, locked. The last run to end removes it, perhaps between our open
// and our lock: then it has no name any more, and is made again.
Result<os::Fd> open_locked(const std::string& path, std::string_view action, bool for_programs) {
  for (int tries = 0; tries < 100; ++tries) {
    os::Fd fd = TRY(open_private(path, action, for_programs));
    struct stat status {};
    if (::flock(fd.get(), LOCK_EX) != 0 || ::fstat(fd.get(), &status) != 0) {
      return last_error(action, path);
    }
    if (status.st_nlink > 0) return fd;
  }
  return plain_error(action, path, "it is removed again and again");
}

// Removes what killed runs left: everything whose lock can be had.
void sweep(int base) {
  DIR* listing = ::fdopendir(::openat(base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (listing == nullptr) return;
  while (const dirent* entry = ::readdir(listing)) {
    const std::string name = entry->d_name;
    if (!name.starts_with("run-")) continue;
    const os::Fd directory(
        ::openat(base, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory.valid() || ::flock(directory.get(), LOCK_EX | LOCK_NB) != 0) continue;
    remove_tree(base, name);
  }
  ::closedir(listing);
}

}  // namespace

std::string PrivateDirectory::name_of_base(const std::string& base) {
  std::string path = base;
  path += "/rootlet-";
  path += std::to_string(::geteuid());
  return path;
}

Result<os::Fd> PrivateDirectory::open_base(const std::string& base, std::string_view action,
                                           bool for_programs) {
  os::Fd parent = TRY(open_locked(name_of_base(base), action, for_programs));
  sweep(parent.get());
  return parent;
}

Result<PrivateDirectory> PrivateDirectory::make(const std::string& base, std::string_view action,
                                                bool for_programs) {
  // While this lock is held nobody sweeps a directory that has no lock yet.
  const os::Fd parent = TRY(open_base(base, action, for_programs));
  const std::string ours = name_of_base(base);
  std::string path = ours + "/run-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return last_error(action, ours);
  os::Fd lock = TRY(os::open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return last_error(action, path);
  ::flock(parent.get(), LOCK_UN);
  return PrivateDirectory(path, std::move(lock));
}

void remove_tree(int parent, const std::string& name) {
  if (::unlinkat(parent, name.c_str(), 0) == 0) return;
  const int fd = ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return;
  ::fchmod(fd, 0700);  // an unpacked directory may forbid its own change
  if (DIR* listing = ::fdopendir(fd)) {
    while (const dirent* entry = ::readdir(listing)) {
      const std::string child = entry->d_name;
      if (child != "." && child != "..") remove_tree(fd, child);
    }
    ::closedir(listing);
  }
  ::unlinkat(parent, name.c_str(), AT_REMOVEDIR);
}

PrivateDirectory::~PrivateDirectory() {
  if (!lock_.valid() || stays_) return;  // moved from, or for later runs
  remove_tree(AT_FDCWD, path_);
  // The directory of all runs too, once no run is in it; ENOTEMPTY else.
  const std::string parent = base();
  const os::Fd lock(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (lock.valid() && ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) ::rmdir(parent.c_str());
}

}  // namespace rootlet
