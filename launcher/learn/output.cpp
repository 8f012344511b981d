// SPDX-License-Identifier: MIT
#include "launcher/learn/output.hpp"

#include <sys/stat.h>
#include <cstdio>

#include "runtime/os/fd.hpp"
#include "runtime/run/paths.hpp"

namespace rootlet::learn {
namespace {

constexpr std::string_view kWrite = "write what was learned";

}  // namespace

bool is_no_file(const std::string& file) {
  struct stat status {};
  return ::stat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

// Without a name until it is whole (O_TMPFILE, Linux 3.11), so that a kill leaves
// nothing; where the file system has none, under a name that says whose it is.
Status write_output(const std::string& file, const std::string& text) {
  if (is_no_file(file)) {
    const os::Fd fd = TRY(os::open_at(AT_FDCWD, file, O_WRONLY));
    return os::write_all(fd.get(), text, kWrite, file);
  }
  const std::string directory = file.find('/') == std::string::npos ? "." : directory_of(file);
  const std::string beside = file + ".new-" + std::to_string(::getpid());
  os::Fd fd(::open(directory.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644));
  const bool named = !fd.valid();
  if (named) fd = TRY(os::open_at(AT_FDCWD, beside, O_WRONLY | O_CREAT | O_EXCL, 0644));
  TRY(os::write_all(fd.get(), text, kWrite, file));
  if (!named && ::linkat(AT_FDCWD, os::fd_path(fd.get()).c_str(), AT_FDCWD, beside.c_str(),
                         AT_SYMLINK_FOLLOW) != 0) {
    return last_error(kWrite, file);
  }
  if (::rename(beside.c_str(), file.c_str()) == 0) return Done{};
  const Error error = last_error(kWrite, file);
  ::unlink(beside.c_str());
  return error;
}

Status check_output(const std::string& file) {
  if (is_no_file(file)) return Done{};
  const std::string directory = file.find('/') == std::string::npos ? "." : directory_of(file);
  if (::access(directory.c_str(), W_OK | X_OK) == 0) return Done{};
  return last_error(kWrite, file, "name a directory that exists and that you may write");
}

std::vector<std::string> places_of(const std::vector<std::string>& folds) {
  std::vector<std::string> places;
  for (const std::string& fold : folds) {
    if (fold == "data") {
      places.insert(places.end(), {"$CWD", "$BIND"});
    } else {
      places.push_back(without_slash(fold));
    }
  }
  return places;
}

}  // namespace rootlet::learn
