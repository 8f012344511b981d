// SPDX-License-Identifier: MIT
#include "runtime/run/rendezvous.hpp"

#include <dirent.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cstring>

#include "runtime/os/parent.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kShare = "share the image server";
constexpr const char* kName = "/rootlet";
// Longer than the busiest machine needs, and short enough to be waited out
// once: then the server is replaced.
constexpr timeval kDeadline{3, 0};

std::string around(const Caller& caller) {
  const std::string given = caller.variable("XDG_RUNTIME_DIR");
  if (!given.empty() && given[0] == '/') return given;
  return "/run/user/" + std::to_string(caller.uid);
}

// On other nodes' file systems a socket means nothing, and locks may not
// either. The device numbers of these are those of /proc/PID/mountinfo, which
// sandbox/hide.cpp counts on; those of btrfs are not.
bool is_local(int directory) {
  constexpr long kLocal[] = {0x01021994 /* tmpfs */, 0x858458f6 /* ramfs */, 0xef53 /* ext4 */,
                             0x58465342 /* xfs */, 0xf2f52010 /* f2fs */};
  struct statfs fs {};
  return ::fstatfs(directory, &fs) == 0 &&
         std::find(std::begin(kLocal), std::end(kLocal), fs.f_type) != std::end(kLocal);
}

bool is_private(int directory, uid_t uid) {
  struct stat status {};
  return ::fstat(directory, &status) == 0 && status.st_uid == uid && (status.st_mode & 077) == 0;
}

// The directory in `around`, made if it is missing.
Result<os::Fd> open_in(const std::string& around, uid_t uid) {
  // By a run, not by the parent: were that killed now, nobody would remove it.
  if (os::Parent::of_this_process().owns(around)) ::mkdir(around.c_str(), 0700);
  const os::Fd parent(::open(around.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!parent.valid())
    return last_error(kShare, around, "set XDG_RUNTIME_DIR to a private directory");
  // Who may write to it may rename what is in it.
  if (!is_private(parent.get(), uid) || !is_local(parent.get())) {
    return plain_error(kShare, around, "it is no private directory of yours on a local disk");
  }
  const auto open = [&] {
    return os::open_at(parent.get(), kName + 1, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  };
  auto opened = open();
  if (!opened.ok() && opened.error().code == ENOENT) {
    if (::mkdirat(parent.get(), kName + 1, 0700) != 0 && errno != EEXIST) {
      return last_error(kShare, around + kName);
    }
    opened = open();
  }
  os::Fd directory = TRY(std::move(opened));
  if (!is_private(directory.get(), uid) || !is_local(directory.get())) {
    return plain_error(kShare, around + kName, "it is no private directory of yours");
  }
  return directory;
}

// A name below a directory that is open, whatever the length of its path: an
// address of a socket has room for 108 bytes.
sockaddr_un address_of(int directory, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = os::fd_path(directory) + "/" + name;
  std::memcpy(address.sun_path, path.c_str(), std::min(path.size(), sizeof address.sun_path - 1));
  return address;
}

Result<os::Fd> new_socket() {
  os::Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return last_error(kShare);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kDeadline, sizeof kDeadline);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kDeadline, sizeof kDeadline);
  return fd;
}

}  // namespace

std::vector<std::string> Rendezvous::prepare_all(const Caller& caller) {
  std::vector<std::string> paths;
  for (const std::string& place : {around(caller), "/run/user/" + std::to_string(caller.uid)}) {
    const std::string path = place + kName;
    if (std::find(paths.begin(), paths.end(), path) != paths.end()) continue;
    if (open_in(place, caller.uid).ok()) paths.push_back(path);
  }
  return paths;
}

Result<Rendezvous> Rendezvous::open(const Caller& caller) {
  return Rendezvous(TRY(open_in(around(caller), caller.uid)));
}

Result<std::optional<os::Fd>> Rendezvous::connect(const std::string& name) const {
  os::Fd fd = TRY(new_socket());
  const sockaddr_un address = address_of(directory_.get(), name);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) return std::optional<os::Fd>();
    return last_error(kShare, name);
  }
  return std::optional(std::move(fd));
}

std::string Rendezvous::version_of(const std::string& name) const {
  struct stat status {};
  if (::fstatat(directory_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return {};
  return std::to_string(status.st_ino) + " " + std::to_string(status.st_ctim.tv_sec) + "." +
         std::to_string(status.st_ctim.tv_nsec);
}

os::Fd Rendezvous::open_key() const {
  return os::Fd(
      ::openat(directory_.get(), ".key", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
}

Status Rendezvous::lock() const {
  // Whoever holds it for longer was stopped in between.
  for (int tries = 0; tries < 300; ++tries) {
    if (::flock(directory_.get(), LOCK_EX | LOCK_NB) == 0) return Done{};
    if (errno != EWOULDBLOCK) return last_error(kShare, "lock");
    ::usleep(tries < 100 ? 500 : 10000);
  }
  return plain_error(kShare, "lock", "somebody holds it for seconds");
}

void Rendezvous::unlock() const { ::flock(directory_.get(), LOCK_UN); }

// What servers left that were killed. With the lock no name is on its way to
// be listened at.
void Rendezvous::sweep() const {
  DIR* listing = ::fdopendir(::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (listing == nullptr) return;
  while (const dirent* entry = ::readdir(listing)) {
    const std::string name = entry->d_name;
    if (name[0] == '.') continue;
    const auto found = connect(name);
    if (found.ok() && !found.value()) ::unlinkat(directory_.get(), name.c_str(), 0);
  }
  ::closedir(listing);
}

Result<image::Offer> Rendezvous::offer(const std::string& name) && {
  sweep();
  image::Offer offer;
  offer.socket = TRY(new_socket());
  offer.name = name;
  ::unlinkat(directory_.get(), name.c_str(), 0);
  const sockaddr_un address = address_of(directory_.get(), name);
  if (::bind(offer.socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
      0) {
    return last_error(kShare, name);
  }
  offer.rendezvous = std::move(directory_);
  return offer;
}

}  // namespace rootlet
