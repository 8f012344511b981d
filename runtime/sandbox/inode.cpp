// SPDX-License-Identifier: MIT
#include "runtime/sandbox/inode.hpp"

#include <dirent.h>
#include <fcntl.h>

#include "runtime/os/mount.hpp"

namespace rootlet::sandbox {

dev_t device_of(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 ? status.st_dev : 0;
}

struct stat status_of(int fd) {
  struct stat status {};
  ::fstat(fd, &status);
  return status;
}

std::vector<std::string> names_in(int directory, std::size_t limit) {
  std::vector<std::string> names;
  const int fd = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* listing = fd >= 0 ? ::fdopendir(fd) : nullptr;
  if (listing == nullptr) return names;
  while (const dirent* entry = ::readdir(listing)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
    if (names.size() == limit) break;
  }
  ::closedir(listing);
  return names;
}

bool is_served_empty(int directory) {
  const struct stat status = status_of(directory);
  return S_ISDIR(status.st_mode) && status.st_size == 0 && os::is_fuse(directory);
}

bool is_empty(int directory) {
  return is_served_empty(directory) || names_in(directory, 1).empty();
}

}  // namespace rootlet::sandbox
