// SPDX-License-Identifier: MIT
#include "launcher/work_directory.hpp"

#include <dirent.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "runtime/os/process.hpp"
#include "runtime/run/paths.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kMake = "make a directory to work in";
constexpr std::string_view kMark = ".rootlet-update-";

std::string prefix_for(const std::string& file) {
  // A long name leaves no room for ours behind it.
  return std::string(kMark) + file.substr(file.rfind('/') + 1).substr(0, 100) + "-";
}

// Only plain files: the programs that write here make no directories.
void remove_flat(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(path.c_str()), ::closedir);
  if (!listing) return;
  while (const dirent* entry = ::readdir(listing.get())) {
    ::unlinkat(::dirfd(listing.get()), entry->d_name, 0);
  }
  ::rmdir(path.c_str());
}

// A program that is being killed may still write for a moment.
void remove_surely(const std::string& path) {
  for (int i = 0; i < 100; ++i) {
    remove_flat(path);
    if (::access(path.c_str(), F_OK) != 0) return;
    ::usleep(20000);
  }
}

void sweep(const std::string& directory, const std::string& prefix) {
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(directory.c_str()), ::closedir);
  if (!listing) return;
  std::vector<std::string> found;
  while (const dirent* entry = ::readdir(listing.get())) {
    const std::string_view name(entry->d_name);
    if (name.starts_with(prefix) && name.size() == prefix.size() + 16) found.emplace_back(name);
  }
  for (const std::string& name : found) {
    const os::Fd held(::openat(::dirfd(listing.get()), name.c_str(),
                               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {};
    if (!held.valid() || ::fstat(held.get(), &status) != 0 || status.st_uid != ::geteuid())
      continue;
    if (::flock(held.get(), LOCK_EX | LOCK_NB) == 0) remove_flat(joined(directory, name));
  }
}

// Waits for the end of the pipe: then whoever made it is gone, or done.
[[noreturn]] void be_cleaner(int pipe, const std::string& path) {
  ::setsid();
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  os::close_all_but({pipe});
  char byte;
  while (::read(pipe, &byte, 1) < 0 && errno == EINTR) {
  }
  remove_surely(path);
  ::_exit(0);
}

}  // namespace

Result<WorkDirectory> WorkDirectory::beside(const std::string& file) {
  WorkDirectory work;
  const std::string directory = directory_of(file);
  const std::string prefix = prefix_for(file);
  sweep(directory, prefix);
  unsigned char random[8];
  if (::getrandom(random, sizeof random, 0) != sizeof random) return last_error(kMake, directory);
  std::string name = prefix;
  for (const unsigned char byte : random) {
    name += "0123456789abcdef"[byte >> 4];
    name += "0123456789abcdef"[byte & 15];
  }
  work.path_ = joined(directory, name);
  auto [read_end, write_end] = TRY(os::make_pipe(kMake));
  // Before there is anything to clean.
  work.cleaner_ = ::fork();
  if (work.cleaner_ < 0) return last_error(kMake, directory);
  if (work.cleaner_ == 0) be_cleaner(read_end.get(), work.path_);
  work.alive_ = std::move(write_end);
  if (::mkdir(work.path_.c_str(), 0700) != 0) return last_error(kMake, directory);
  work.held_ = TRY(os::open_at(AT_FDCWD, work.path_, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  ::flock(work.held_.get(), LOCK_EX | LOCK_NB);
  return work;
}

WorkDirectory::WorkDirectory(WorkDirectory&& other) noexcept
    : path_(std::move(other.path_)),
      held_(std::move(other.held_)),
      alive_(std::move(other.alive_)),
      cleaner_(std::exchange(other.cleaner_, -1)) {}

WorkDirectory::~WorkDirectory() {
  if (cleaner_ < 0) return;
  alive_.reset();
  os::wait_for(cleaner_);
}

}  // namespace rootlet
