// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/base/result.hpp"

namespace rootlet::os {

// A file descriptor with one owner.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);  // the old one closes with `other`
    return *this;
  }
  ~Fd() {
    if (fd_ < 0) return;
    const int saved = errno;  // cleanup must not hide the error being reported
    ::close(fd_);
    errno = saved;
  }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset() { *this = Fd(); }

 private:
  int fd_ = -1;  // 0 is a valid descriptor, so "none" is -1
};

// openat(2), always close-on-exec: the tool inherits only what we hand it.
// `mode` counts with O_CREAT only.
Result<Fd> open_at(int dir, const std::string& path, int flags, unsigned mode = 0600);
inline Result<Fd> open_path(const std::string& path) { return open_at(AT_FDCWD, path, O_PATH); }

// Two ends of a socket that keeps messages apart, and tells when the other end
// is gone (SOCK_SEQPACKET).
Result<std::pair<Fd, Fd>> socket_pair(std::string_view action);

// Its end to read from, its end to write to.
Result<std::pair<Fd, Fd>> make_pipe(std::string_view action);

// "/proc/self/fd/N": a descriptor as a path, for system calls that take only
// paths. Exact whatever happened to the names since (proc(5)).
std::string fd_path(int fd);

// Writes all of it, through short writes and EINTR.
Status write_all(int fd, std::string_view bytes, std::string_view action,
                 std::string_view subject = {});

// Opens, writes in one write(2) (as /proc files demand) and closes.
Status write_file(const std::string& path, std::string_view bytes, std::string_view action);

// The whole file, at most `limit` bytes of it.
Result<std::string> read_file(int dir, const std::string& path, std::size_t limit);

}  // namespace rootlet::os
