// SPDX-License-Identifier: MIT
#include "runtime/os/peer.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cstdlib>

namespace rootlet::os {
namespace {

constexpr std::string_view kCheck = "check who is at the other end";
constexpr int kPeerPidfd = 77;  // SO_PEERPIDFD of Linux 6.5, asm-generic/socket.h

// The value of a line "NAME:\tVALUE" of /proc/PID/status.
std::string_view field(const std::string& status, std::string_view name) {
  const std::size_t at = status.find("\n" + std::string(name) + ":\t");
  if (at == std::string::npos) return {};
  const std::size_t start = at + name.size() + 3;
  return std::string_view(status).substr(start, status.find('\n', start) - start);
}

Result<Fd> pidfd_of_peer(int socket, pid_t pid) {
  int fd = -1;
  socklen_t size = sizeof fd;
  if (::getsockopt(socket, SOL_SOCKET, kPeerPidfd, &fd, &size) == 0) return Fd(fd);
  // EINVAL, ESRCH: it has ended. Older kernels: by its number, which another
  // one may have by now; that one then has to stand where we do.
  if (errno != ENOPROTOOPT) return last_error(kCheck);
  fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return last_error(kCheck);
  return Fd(fd);
}

}  // namespace

Result<Standing> own_standing() {
  char self[32];
  const ssize_t length = ::readlink("/proc/self", self, sizeof self - 1);
  if (length < 0) return last_error("find this process", "/proc/self");
  self[length] = '\0';
  if (std::strtol(self, nullptr, 10) != ::getpid()) {
    return plain_error("find this process", "/proc/self", "/proc shows another PID namespace");
  }
  return Standing{::geteuid(), ::getegid(), TRY(read_file(AT_FDCWD, "/proc/self/uid_map", 4096))};
}

Result<std::string> uid_map_of(int proc, pid_t pid, bool* stopped) {
  const std::string directory = std::to_string(pid);
  const std::string status = TRY(read_file(proc, directory + "/status", 8192));
  // One number for each PID namespace from that of /proc down (Linux 4.1).
  const std::string_view numbers = field(status, "NSpid");
  if (numbers.empty() || numbers.find('\t') != std::string_view::npos) {
    return plain_error(kCheck, directory, "it is in another PID namespace");
  }
  const std::string_view state = field(status, "State");
  if (stopped != nullptr) *stopped = state.starts_with('T') || state.starts_with('t');
  return read_file(proc, directory + "/uid_map", 4096);
}

Result<Peer> check_peer(int socket, int proc, const Standing& wanted) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return last_error(kCheck);
  }
  // The number is 0 for one that our PID namespace cannot see.
  if (credentials.pid <= 0 || credentials.uid != wanted.uid || credentials.gid != wanted.gid) {
    return plain_error(kCheck, "", "it is another user, or group");
  }
  Peer peer;
  peer.pid = credentials.pid;
  peer.pidfd = TRY(pidfd_of_peer(socket, peer.pid));
  if (TRY(uid_map_of(proc, peer.pid, &peer.stopped)) != wanted.uid_map) {
    return plain_error(kCheck, std::to_string(peer.pid), "it is in another user namespace");
  }
  pollfd ended{peer.pidfd.get(), POLLIN, 0};
  constexpr timespec kNow{};  // ppoll(2) on every architecture: a keeper may call nothing else
  if (::ppoll(&ended, 1, &kNow, nullptr) != 0) {
    return plain_error(kCheck, std::to_string(peer.pid), "it has ended");
  }
  return peer;
}

bool is_stopped(pid_t pid) {
  auto stat = read_file(AT_FDCWD, "/proc/" + std::to_string(pid) + "/stat", 512);
  if (!stat.ok()) return false;
  const std::size_t name_end = stat.value().rfind(") ");
  if (name_end == std::string::npos || name_end + 2 >= stat.value().size()) return false;
  const char state = stat.value()[name_end + 2];
  return state == 'T' || state == 't';
}

}  // namespace rootlet::os
