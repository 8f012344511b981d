// SPDX-License-Identifier: MIT
#include "runtime/run/extracted.hpp"

#include <dirent.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cstdlib>
#include <vector>

#include "runtime/image/extract.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kUnpack = "unpack the image";

std::vector<std::string> candidates() {
  std::vector<std::string> bases;
  const auto add = [&](const char* variable, const std::string& below) {
    const char* value = std::getenv(variable);
    if (value != nullptr && value[0] == '/') bases.push_back(value + below);
  };
  add("XDG_CACHE_HOME", "");
  add("HOME", "/.cache");
  add("TMPDIR", "");
  bases.emplace_back("/tmp");
  return bases;
}

// A directory that only we can change, made if it is missing. A name that
// someone else took is never used, whatever lies in it.
Result<os::Fd> private_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return last_error(kUnpack, path);
  os::Fd fd = TRY(os::open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  struct stat status {};
  struct statvfs fs {};
  if (::fstat(fd.get(), &status) != 0 || ::fstatvfs(fd.get(), &fs) != 0) {
    return last_error(kUnpack, path);
  }
  if (status.st_uid != ::geteuid() || (status.st_mode & 077) != 0) {
    return plain_error(kUnpack, path, "it is not a private directory of yours");
  }
  if (fs.f_flag & ST_NOEXEC) {
    return plain_error(kUnpack, path, "programs there may not be executed (noexec)");
  }
  return fd;
}

// The same, locked. The last run to end removes it, perhaps between our open
// and our lock: then it has no name any more, and is made again.
Result<os::Fd> locked_directory(const std::string& path) {
  for (int tries = 0; tries < 100; ++tries) {
    os::Fd fd = TRY(private_directory(path));
    struct stat status {};
    if (::flock(fd.get(), LOCK_EX) != 0 || ::fstat(fd.get(), &status) != 0) {
      return last_error(kUnpack, path);
    }
    if (status.st_nlink > 0) return fd;
  }
  return plain_error(kUnpack, path, "it is removed again and again");
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

Result<ExtractedDirectory> extract_below(const std::string& base, image::Squashfs& image) {
  const std::string ours = base + "/rootlet-" + std::to_string(::geteuid());
  // While this lock is held nobody sweeps a directory that has no lock yet.
  const os::Fd parent = TRY(locked_directory(ours));
  sweep(parent.get());
  std::string path = ours + "/run-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return last_error(kUnpack, ours);
  os::Fd lock = TRY(os::open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return last_error(kUnpack, path);
  ::flock(parent.get(), LOCK_UN);

  ExtractedDirectory directory(path, std::move(lock));
  if (::mkdir(directory.path().c_str(), 0755) != 0) return last_error(kUnpack, path);
  const os::Fd root = TRY(os::open_at(AT_FDCWD, directory.path(), O_RDONLY | O_DIRECTORY));
  TRY(image::extract_all(image, root.get()));
  return directory;
}

}  // namespace

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

ExtractedDirectory::~ExtractedDirectory() {
  if (!lock_.valid()) return;  // moved from
  remove_tree(AT_FDCWD, path_);
  // The directory of all runs too, once no run is in it; ENOTEMPTY else.
  const std::string parent = base();
  const os::Fd lock(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (lock.valid() && ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) ::rmdir(parent.c_str());
}

Result<ExtractedDirectory> extract_to_directory(image::Squashfs& image, const Log& log) {
  Error first;
  for (const std::string& base : candidates()) {
    auto extracted = extract_below(base, image);
    if (extracted.ok()) return extracted;
    const int code = extracted.error().code;
    // Which file of the image found no room is of no use; which disk is.
    if (code == ENOSPC || code == EDQUOT)
      extracted = Error{code, std::string(kUnpack), base, "", ""};
    log.say([&] { return extracted.error().message() + "; trying elsewhere"; });
    if (first.action.empty()) first = extracted.error();
  }
  first.hint = "point XDG_CACHE_HOME or TMPDIR to a directory with room";
  return first;
}

}  // namespace rootlet
