// SPDX-License-Identifier: MIT
#include "runtime/os/fd.hpp"

#include <sys/socket.h>

namespace rootlet::os {

Result<Fd> open_at(int dir, const std::string& path, int flags, unsigned mode) {
  const int fd = ::openat(dir, path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) return last_error("open", path);
  return Fd(fd);
}

Result<std::pair<Fd, Fd>> socket_pair(std::string_view action) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return last_error(action);
  return std::pair(Fd(ends[0]), Fd(ends[1]));
}

Result<std::pair<Fd, Fd>> make_pipe(std::string_view action) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return last_error(action);
  return std::pair(Fd(ends[0]), Fd(ends[1]));
}

std::string fd_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

Status write_all(int fd, std::string_view bytes, std::string_view action,
                 std::string_view subject) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return last_error(action, subject);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return Done{};
}

Status write_file(const std::string& path, std::string_view bytes, std::string_view action) {
  const int raw = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (raw < 0) return last_error(action, path);
  const Fd file(raw);
  if (::write(raw, bytes.data(), bytes.size()) < 0) return last_error(action, path);
  return Done{};
}

Result<std::string> read_file(int dir, const std::string& path, std::size_t limit) {
  const Fd file = TRY(open_at(dir, path, O_RDONLY));
  std::string text;
  char buffer[4096];
  while (text.size() < limit) {
    const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return last_error("read", path);
    if (got == 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  if (text.size() > limit) text.resize(limit);
  return text;
}

}  // namespace rootlet::os
