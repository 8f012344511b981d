// SPDX-License-Identifier: MIT
#include "packaging/output_file.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "packaging/tree.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::string_view kWrite = "write the file";

// For the signal handler, which may only use what needs no lock: the name of
// the file to remove, or an empty string.
char part_to_remove[4096];

void remove_part_and_die(int signal) {
  if (part_to_remove[0] != '\0') ::unlink(part_to_remove);
  // SA_RESETHAND: this time it ends us, as the caller expects of the signal.
  ::raise(signal);
}

void remove_on_signals(const std::string& part) {
  if (part.size() >= sizeof part_to_remove) return;
  std::memcpy(part_to_remove, part.c_str(), part.size() + 1);
  struct sigaction action {};
  action.sa_handler = remove_part_and_die;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    // An ignored signal (nohup) stays ignored.
    if (::sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    ::sigaction(signal, &action, nullptr);
  }
}

std::string directory_of(const std::string& path) {
  return path.find('/') == std::string::npos ? "." : parent_of(path);
}

}  // namespace

Result<OutputFile> OutputFile::create(const std::string& path) {
  const int nameless = ::open(directory_of(path).c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (nameless >= 0) return OutputFile(os::Fd(nameless), path, {});
  // EOPNOTSUPP, or EISDIR from a kernel or filesystem that ignores the flag.
  if (errno != EOPNOTSUPP && errno != EISDIR) return last_error(kWrite, path);
  std::string part = path + ".part";
  ::unlink(part.c_str());  // of a build that was killed
  const int fd = ::open(part.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) return last_error(kWrite, part);
  remove_on_signals(part);
  return OutputFile(os::Fd(fd), path, std::move(part));
}

OutputFile::~OutputFile() {
  if (part_.empty() || !file_.valid()) return;
  ::unlink(part_.c_str());
  part_to_remove[0] = '\0';
}

Status OutputFile::publish(unsigned mode) {
  if (::fchmod(fd(), mode) != 0) return last_error(kWrite, path_);
  if (::fsync(fd()) != 0) return last_error(kWrite, path_);
  if (part_.empty()) {
    const std::string self = "/proc/self/fd/" + std::to_string(fd());
    if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path_.c_str(), AT_SYMLINK_FOLLOW) == 0) {
      file_.reset();
      return Done{};
    }
    if (errno != EEXIST) return last_error(kWrite, path_);
    // linkat(2) replaces nothing: a name for a moment, then rename(2).
    const std::string part = path_ + ".part";
    remove_on_signals(part);
    ::unlink(part.c_str());
    if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, part.c_str(), AT_SYMLINK_FOLLOW) != 0) {
      return last_error(kWrite, part);
    }
    part_ = part;
  }
  if (::rename(part_.c_str(), path_.c_str()) != 0) return last_error(kWrite, path_);
  part_.clear();
  part_to_remove[0] = '\0';
  file_.reset();
  return Done{};
}

Status check_replaceable(const std::string& path, bool force) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return Done{};
    return last_error(kWrite, path);
  }
  if (S_ISDIR(status.st_mode)) {
    return Error{EISDIR, std::string(kWrite), path, "name a file behind -o", {}};
  }
  if (force || (S_ISREG(status.st_mode) && status.st_size == 0)) return Done{};
  std::array<char, 4> magic{};
  const int raw = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  const os::Fd file(raw);
  if (raw >= 0 && ::pread(raw, magic.data(), magic.size(), 0) == 4 &&
      std::memcmp(magic.data(), "\177ELF", 4) == 0) {
    return Done{};
  }
  return plain_error(kWrite, path, "it exists and is no program of an earlier build",
                     "add --force to replace it");
}

}  // namespace rootlet::packaging
