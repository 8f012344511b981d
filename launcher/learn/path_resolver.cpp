// SPDX-License-Identifier: MIT
#include "launcher/learn/path_resolver.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/sandbox/resolve.hpp"

namespace rootlet::learn {
namespace {

// As from a chroot(2) into `root`. Without O_NONBLOCK a FIFO could hold us; O_PATH opens
// nothing.
using sandbox::open_in_root;

char type_of(unsigned mode) {
  switch (mode & S_IFMT) {
    case S_IFREG: return 'f';
    case S_IFDIR: return 'd';
    case S_IFIFO: return 'p';
    case S_IFSOCK: return 's';
    case S_IFLNK: return 'l';
    default: return 'c';
  }
}

std::string name_of_fd(int fd) {
  char text[PATH_MAX];
  const ssize_t length = ::readlink(os::fd_path(fd).c_str(), text, sizeof text);
  return length > 0 ? std::string(text, static_cast<std::size_t>(length)) : std::string();
}

bool status_of(int fd, struct statx& status) {
  return ::statx(fd, "", AT_EMPTY_PATH,
                 STATX_TYPE | STATX_MODE | STATX_UID | STATX_GID | STATX_MNT_ID, &status) == 0;
}

os::Fd root_of(pid_t tid) {
  const std::string path = "/proc/" + std::to_string(tid) + "/root";
  return os::Fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

}  // namespace

std::string joined_inside(const std::string& base, const std::string& path) {
  const std::string whole = path.starts_with('/') ? path : base + "/" + path;
  std::string out;
  for (std::size_t at = 0; at < whole.size();) {
    const std::size_t end = std::min(whole.find('/', at), whole.size());
    const std::string part = whole.substr(at, end - at);
    if (!part.empty() && part != ".") out += "/" + part;
    at = end + 1;
  }
  return out.empty() ? "/" : out;
}

void PathResolver::begin(pid_t tid) {
  root_ = root_of(tid);
  mounts_.read(tid);
}

void PathResolver::describe_mount(pid_t tid, std::uint64_t number, Found& found) {
  const MountInside* mount = mounts_.find(number);
  if (mount == nullptr) {
    mounts_.read(tid);
    mount = mounts_.find(number);
  }
  if (mount == nullptr) return;
  found.where = mount->where;
  found.read_only = mount->read_only;
}

// The process's own entries under the one name that they have for everybody.
Found PathResolver::in_proc(pid_t tid, const std::string& full) const {
  Found found{full, 0, 'f', Where::system};
  std::string rest = full.substr(5);  // behind /proc
  const bool own = rest.starts_with("/self") || rest.starts_with("/thread-self");
  if (own) {
    const std::size_t slash = rest.find('/', 1);
    rest = slash == std::string::npos ? "" : rest.substr(slash);
    found.path = "/proc/self" + rest;
    rest = "/" + std::to_string(tid) + rest;
  }
  struct stat status {};
  // Of other processes the numbers differ: then it is taken to be there.
  if (own && ::lstat(("/proc" + rest).c_str(), &status) != 0) found.error = errno;
  if (own && found.error == 0) found.type = type_of(status.st_mode);
  return found;
}

void PathResolver::describe_directory(pid_t tid, int root, const std::string& full, Found& found) {
  const std::size_t slash = full.rfind('/');
  const os::Fd directory(open_in_root(root, slash == 0 ? "/" : full.substr(0, slash), O_PATH));
  struct statx status {};
  if (!directory.valid() || !status_of(directory.get(), status)) {
    const MountInside& mount = mounts_.of_path(full);
    found.where = mount.where;
    found.read_only = mount.read_only;
    return;
  }
  found.directory_there = S_ISDIR(status.stx_mode);
  found.directory_mode = status.stx_mode;
  found.directory_uid = status.stx_uid;
  found.directory_gid = status.stx_gid;
  found.path = joined_inside(name_of_fd(directory.get()), full.substr(slash + 1));
  describe_mount(tid, status.stx_mnt_id, found);
}

Found PathResolver::look(pid_t tid, int root, const std::string& full, bool follow) {
  Found found{full};
  const os::Fd fd(open_in_root(root, full, O_PATH | (follow ? 0 : O_NOFOLLOW)));
  if (!fd.valid()) {
    found.error = errno;
    describe_directory(tid, root, full, found);
    return found;
  }
  struct statx status {};
  if (!status_of(fd.get(), status)) return found;
  found.type = type_of(status.stx_mode);
  found.mode = status.stx_mode;
  found.uid = status.stx_uid;
  found.gid = status.stx_gid;
  describe_mount(tid, status.stx_mnt_id, found);
  std::string name = name_of_fd(fd.get());
  if (name.starts_with('/')) found.path = std::move(name);
  return found;
}

Found PathResolver::find(pid_t tid, const std::string& base, const std::string& path, bool follow,
                         bool own_root) {
  const std::string full = joined_inside(base, path);
  if (full.starts_with("/proc/self") || full.starts_with("/proc/thread-self")) {
    return in_proc(tid, full);
  }
  if (full.starts_with("/dev/fd/") || full.starts_with("/dev/std")) {
    return {full, 0, 'c', Where::system};
  }
  if (own_root) {
    const os::Fd root = root_of(tid);
    return look(tid, root.get(), full, follow);
  }
  const std::string key = full + (follow ? "" : "\n");
  const auto known = known_.find(key);
  if (known != known_.end()) return known->second;
  Found found = look(tid, root_.get(), full, follow);
  const bool settled = found.error == 0 || found.error == ENOENT || found.error == ENOTDIR;
  if (known_.size() >= kMostOfAKind) known_.clear();  // names without end, missing ones among them
  if (constant_ && found.where == Where::image && settled) known_.emplace(key, found);
  return found;
}

os::Fd PathResolver::open(pid_t tid, const std::string& path, bool own_root) {
  const os::Fd root = own_root ? root_of(tid) : os::Fd();
  return os::Fd(open_in_root(own_root ? root.get() : root_.get(), path, O_RDONLY | O_NONBLOCK));
}

}  // namespace rootlet::learn
