// SPDX-License-Identifier: MIT
#include "runtime/run/file_digests.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <string_view>
#include <vector>

#include "runtime/base/error.hpp"
#include "runtime/base/text.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/payload/seal.hpp"
#include "runtime/sandbox/inode.hpp"

namespace rootlet {
namespace {

// The launcher has all signals blocked; who wants it to end is heard here.
bool told_to_end() {
  sigset_t waiting;
  ::sigpending(&waiting);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    if (::sigismember(&waiting, number) == 1) return true;
  }
  return false;
}

// Nothing where errno says why.
std::string digest_of(int fd) {
  constexpr std::size_t kPiece = 1 << 20;
  const std::unique_ptr<std::uint8_t[]> piece(new std::uint8_t[kPiece]);
  Sha256 sum;
  for (off_t at = 0;;) {
    if (told_to_end()) {
      errno = EINTR;
      return {};
    }
    const ssize_t got = ::pread(fd, piece.get(), kPiece, at);
    if (got < 0) return {};
    if (got == 0) break;
    sum.add({piece.get(), static_cast<std::size_t>(got)});
    at += got;
  }
  return seal_text(sum.digest()).substr(std::string_view("sha256:").size());
}

// `follow`: what the user named may be a symlink; what a tool has made is not followed.
void tell_one(JsonText& json, int directory, const std::string& name, const std::string& shown,
              bool follow) {
  // O_NONBLOCK: a FIFO has no content, and nobody waits for one.
  const int how = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW);
  const os::Fd fd(::openat(directory, name.c_str(), how));
  const int error = errno;
  struct stat status {};
  if (fd.valid()) ::fstat(fd.get(), &status);
  if (S_ISDIR(status.st_mode)) {
    std::vector<std::string> below = sandbox::names_in(fd.get(), ~std::size_t{0});
    std::sort(below.begin(), below.end());
    for (const std::string& one : below) {
      tell_one(json, fd.get(), one, join({shown, "/", one}), false);
    }
    return;
  }
  json.object().text("path", shown);
  char link[4096];
  const ssize_t length = follow ? -1 : ::readlinkat(directory, name.c_str(), link, sizeof link);
  if (length >= 0) {
    json.text("link", {link, static_cast<std::size_t>(length)});
  } else if (!fd.valid() || !S_ISREG(status.st_mode)) {
    json.text("error", fd.valid() ? "no regular file" : errno_name(error));
  } else {
    tell_content(json, fd.get());
  }
  json.close();
}

}  // namespace

void tell_content(JsonText& json, int fd) {
  struct stat status {};
  ::fstat(fd, &status);
  const std::string digest = digest_of(fd);
  if (digest.empty()) {
    json.text("error", errno_name(errno));
    return;
  }
  json.number("size", status.st_size).text("sha256", digest);
}

void tell_files(JsonText& json, const std::string& path, const std::string& shown) {
  tell_one(json, AT_FDCWD, path, shown, true);
}

}  // namespace rootlet
