// SPDX-License-Identifier: MIT
#include "runtime/sandbox/resolve.hpp"

#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <deque>
#include <vector>

namespace rootlet::sandbox {
namespace {

constexpr std::string_view kFind = "find in the root";
constexpr int kMaximumLinks = 40;  // as the kernel's (path_resolution(7))

std::deque<std::string> components(std::string_view path) {
  std::deque<std::string> parts;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (!part.empty() && part != ".") parts.emplace_back(part);
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return parts;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string path;
  for (const std::string& part : parts) path += "/" + part;
  return path.empty() ? "/" : path;
}

// Where a walk stands: a chain of open directories from the root down.
struct Walk {
  explicit Walk(int root_fd) : root(root_fd) {}

  int here() const { return chain.empty() ? root : chain.back().get(); }
  void up() {
    if (!chain.empty()) chain.pop_back();
    if (!names.empty()) names.pop_back();
  }
  void restart() {
    chain.clear();
    names.clear();
  }

  int root;
  std::vector<os::Fd> chain;
  std::vector<std::string> names;
};

// Walks component by component without ever letting the kernel follow a link.
// On ENOENT `walk` stands at the deepest directory and `rest` holds the
// missing component and what follows it.
Status advance(Walk& walk, std::deque<std::string>& rest, const std::string& shown) {
  int links = 0;
  while (!rest.empty()) {
    const std::string name = rest.front();
    if (name == "..") {
      rest.pop_front();
      walk.up();
      continue;
    }
    os::Fd next(::openat(walk.here(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!next.valid()) return last_error(kFind, shown);
    struct stat status {};
    if (::fstat(next.get(), &status) != 0) return last_error(kFind, shown);
    rest.pop_front();
    if (S_ISLNK(status.st_mode)) {
      if (++links > kMaximumLinks) return Error{ELOOP, std::string(kFind), shown, "", ""};
      char target[4096];
      const ssize_t length = ::readlinkat(next.get(), "", target, sizeof target);
      if (length < 0) return last_error(kFind, shown);
      const std::string_view text(target, static_cast<std::size_t>(length));
      auto more = components(text);
      rest.insert(rest.begin(), more.begin(), more.end());
      if (text.starts_with('/')) walk.restart();
      continue;
    }
    if (!rest.empty() && !S_ISDIR(status.st_mode)) {
      return Error{ENOTDIR, std::string(kFind), shown, "", ""};
    }
    walk.chain.push_back(std::move(next));
    walk.names.push_back(name);
  }
  return Done{};
}

Result<os::Fd> reopened(int fd, int flags) {
  if (flags == O_PATH) {
    const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) return last_error(kFind);
    return os::Fd(copy);
  }
  return os::open_at(AT_FDCWD, os::fd_path(fd), flags);
}

}  // namespace

int open_in_root(int root, const std::string& path, int flags, unsigned long long resolve) {
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT | resolve;
  long fd = -1;
  constexpr int kTries = 100;
  for (int tries = 0; tries < kTries; ++tries) {
    fd = ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
    if (fd >= 0 || errno != EAGAIN) break;
  }
  return static_cast<int>(fd);
}

Result<os::Fd> resolve_in_root(int root, const std::string& path, int flags) {
  os::Fd fd(open_in_root(root, path, flags, RESOLVE_NO_MAGICLINKS));
  if (fd.valid()) return fd;
  // ENOSYS: Linux < 5.6. EPERM: a container's filter that is older than it.
  // EAGAIN: on a busy host it may go on and on.
  if (errno != ENOSYS && errno != EPERM && errno != EAGAIN) return last_error(kFind, path);

  Walk walk(root);
  auto rest = components(path);
  TRY(advance(walk, rest, path));
  return reopened(walk.here(), flags);
}

Result<Missing> find_missing(int root, const std::string& path) {
  Walk walk(root);
  auto rest = components(path);
  auto walked = advance(walk, rest, path);
  if (walked.ok()) return plain_error(kFind, path, "it exists");
  if (walked.error().code != ENOENT) return walked.error();
  Missing missing;
  missing.parent = TRY(reopened(walk.here(), O_PATH));
  missing.parent_path = joined(walk.names);
  missing.name = rest.front();
  missing.last = rest.size() == 1;
  return missing;
}

}  // namespace rootlet::sandbox
