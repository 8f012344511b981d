// SPDX-License-Identifier: MIT
#include "packaging/output_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "packaging/tree.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::string_view kWrite = "write the file";

std::string directory_of(const std::string& path) {
  return path.find('/') == std::string::npos ? "." : parent_of(path);
}

// A name beside the output that nobody has. What is made under it is removed.
Result<std::string> unused_name(const std::string& path) {
  std::string name = directory_of(path) + "/.rootlet-XXXXXX";
  const os::Fd taken(::mkostemp(name.data(), O_CLOEXEC));
  if (!taken.valid()) return last_error(kWrite, path);
  ::unlink(name.c_str());
  return name;
}

}  // namespace

Result<OutputFile> OutputFile::create(const std::string& path) {
  const int nameless = ::open(directory_of(path).c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (nameless >= 0) return OutputFile(os::Fd(nameless), path);
  // EOPNOTSUPP, or EISDIR from a kernel or filesystem that ignores the flag.
  if (errno != EOPNOTSUPP && errno != EISDIR) return last_error(kWrite, path);
  OutputFile output({}, path);
  output.part_ = TRY(unused_name(path));
  TRY(output.watch_part());
  output.file_ = os::Fd(::open(output.part_.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600));
  if (!output.file_.valid()) return last_error(kWrite, path);
  return output;
}

// Before the name exists: a kill between the two would leave it.
Status OutputFile::watch_part() {
  std::array<char, 4096> here{};
  std::string part = part_;
  if (!part.starts_with('/') && ::getcwd(here.data(), here.size()) != nullptr) {
    part = std::string(here.data()) + "/" + part;
  }
  janitor_ = TRY(Janitor::watch([part] { ::unlink(part.c_str()); }));
  return Done{};
}

// linkat(2) replaces nothing: a name for a moment, then rename(2).
Status OutputFile::take_name() {
  const std::string self = os::fd_path(fd());
  if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path_.c_str(), AT_SYMLINK_FOLLOW) == 0) {
    return Done{};
  }
  if (errno != EEXIST) return last_error(kWrite, path_);
  part_ = TRY(unused_name(path_));
  TRY(watch_part());
  if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, part_.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    return last_error(kWrite, path_);
  }
  return Done{};
}

Status OutputFile::publish(unsigned mode) {
  if (::fchmod(fd(), mode) != 0) return last_error(kWrite, path_);
  if (::fsync(fd()) != 0) return last_error(kWrite, path_);
  if (part_.empty()) TRY(take_name());
  if (!part_.empty() && ::rename(part_.c_str(), path_.c_str()) != 0) {
    return last_error(kWrite, path_);
  }
  janitor_.dismiss();
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
      (std::memcmp(magic.data(), "\177ELF", 4) == 0 || std::memcmp(magic.data(), "hsqs", 4) == 0)) {
    return Done{};
  }
  return plain_error(kWrite, path, "it exists and is nothing that a build has made",
                     "add --force to replace it");
}

}  // namespace rootlet::packaging
