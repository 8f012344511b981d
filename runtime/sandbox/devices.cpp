// SPDX-License-Identifier: MIT
#include "runtime/sandbox/devices.hpp"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstring>

#include "runtime/os/mount.hpp"
#include "runtime/os/socket.hpp"

namespace rootlet::sandbox {
namespace {

constexpr std::string_view kBuild = "build /dev";

struct Node {
  const char* name;
  unsigned major, minor;  // Documentation/admin-guide/devices.txt
};
constexpr Node kNodes[] = {{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
                           {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};

constexpr std::pair<const char*, const char*> kLinks[] = {{"fd", "/proc/self/fd"},
                                                          {"stdin", "/proc/self/fd/0"},
                                                          {"stdout", "/proc/self/fd/1"},
                                                          {"stderr", "/proc/self/fd/2"},
                                                          {"ptmx", "pts/ptmx"}};

Status show_node(int dev, const Node& node) {
  const std::string path = "/dev/" + std::string(node.name);
  const os::Fd host = TRY(os::open_at(AT_FDCWD, path, O_PATH | O_NOFOLLOW));
  struct stat status {};
  if (::fstat(host.get(), &status) != 0) return last_error(kBuild, path);
  // A swapped node would be shown under a trusted name (CVE-2025-31133).
  if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(node.major, node.minor)) {
    return plain_error(kBuild, path, "the host's is not that device");
  }
  // What the image's symlinks lead here may have made it already.
  if (::mknodat(dev, node.name, S_IFREG | 0666, 0) != 0 && errno != EEXIST) {
    return last_error(kBuild, path);
  }
  const os::Fd target = TRY(os::open_at(dev, node.name, O_PATH | O_NOFOLLOW));
  TRY(os::mount_bind(host.get(), target.get(), path));
  return Done{};
}

// Poor hosts (a minimal container) lack some; null is the one that everything needs.
Status show_nodes(int dev) {
  for (const Node& node : kNodes) {
    auto shown = show_node(dev, node);
    const bool needed = std::strcmp(node.name, "null") == 0;
    if (!shown.ok() && (needed || shown.error().code != ENOENT)) return shown;
  }
  return Done{};
}

// An instance of its own: the host's terminals are not in it (devpts, Linux 4.7).
Status make_terminals(int dev) {
  if (::mkdirat(dev, "pts", 0755) != 0) return last_error(kBuild, "pts");
  const os::Fd place = TRY(os::open_at(dev, "pts", O_PATH | O_NOFOLLOW));
  return os::mount_new("devpts", place.get(), MS_NOSUID | MS_NOEXEC, "ptmxmode=0666,mode=620",
                       "/dev/pts");
}

}  // namespace

Status begin_dev(Root& root, int channel) {
  TRY(root.scratch("/dev", 0755, true));
  const os::Fd dev = TRY(root.open("/dev"));
  TRY(os::send_message(channel, "d", {root.fd(), dev.get()}, kBuild));
  return root.scratch("/dev/shm", 01777, false);
}

Result<Handed> fill_dev(int channel) {
  os::Message message = TRY(os::receive_message(channel, 2, kBuild));
  if (message.ended) ::_exit(125);  // init gave up, and says why itself
  if (message.descriptors.size() != 2) {
    return plain_error(kBuild, "", "its descriptors cannot be taken over",
                       "raise the limit of open files (ulimit -n)");
  }
  Handed handed{std::move(message.descriptors[0]), std::move(message.descriptors[1])};
  const mode_t before = ::umask(0);
  TRY(show_nodes(handed.dev.get()));
  for (const auto& [name, target] : kLinks) {
    if (::symlinkat(target, handed.dev.get(), name) != 0) return last_error(kBuild, name);
  }
  TRY(make_terminals(handed.dev.get()));
  ::umask(before);
  return handed;
}

}  // namespace rootlet::sandbox
