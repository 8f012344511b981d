// SPDX-License-Identifier: MIT
#include "packaging/engine.hpp"

#include <unistd.h>

#include "packaging/stub.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::string_view kFind = "find the rootlet command";

// An OCI seccomp profile. Only one id exists in the run, so a change to another
// would fail, and an installer with it; inside an image every file appears as
// the caller's own anyway. A device node would only fail, too.
constexpr std::string_view kFilter = R"({
  "defaultAction": "SCMP_ACT_ALLOW",
  "syscalls": [{
    "action": "SCMP_ACT_ERRNO", "errnoRet": 0,
    "names": ["chown", "fchown", "lchown", "fchownat", "setuid", "setgid", "setreuid", "setregid",
              "setresuid", "setresgid", "setfsuid", "setfsgid", "setgroups", "mknod", "mknodat",
              "fsync", "fdatasync", "sync", "syncfs", "sync_file_range", "msync"]
  }]
})";

std::vector<std::string> common_options(const std::string& filter) {
  return {"--rootlet-uid-map=0 " + std::to_string(::geteuid()) + " 1",
          "--rootlet-gid-map=0 " + std::to_string(::getegid()) + " 1",
          "--rootlet-net=none",
          "--rootlet-clean-env",
          "--rootlet-env=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
          "--rootlet-env=LC_ALL=C.UTF-8",
          "--rootlet-env=HOME=/root",
          "--rootlet-seccomp=" + filter};
}

}  // namespace

Result<Engine> Engine::make(const ScratchDirectory& scratch) {
  std::string rootlet = find_own_file("rootlet");
  if (rootlet.empty()) rootlet = find_own_file("../../bin/rootlet");
  if (rootlet.empty()) return plain_error(kFind, "rootlet", "not beside rootlet-tools");
  const std::string filter = scratch.path() + "/filter.json";
  const os::Fd file = TRY(os::open_at(AT_FDCWD, filter, O_WRONLY | O_CREAT | O_EXCL));
  TRY(os::write_all(file.get(), kFilter, "write the filter", filter));
  return Engine(rootlet, filter);
}

Result<CommandEnd> Engine::in_root(const std::string& root, std::vector<std::string> words,
                                   std::function<void(std::string_view)> on_line) const {
  std::vector<std::string> all{rootlet_, "chroot", "-n", "-i"};
  for (std::string& option : common_options(filter_)) all.push_back(std::move(option));
  all.push_back(root);
  all.insert(all.end(), words.begin(), words.end());
  return run(std::move(all), std::move(on_line));
}

Result<CommandEnd> Engine::on_host(const std::string& root, std::vector<std::string> words,
                                   std::function<void(std::string_view)> on_line,
                                   const std::vector<std::string>& binds) const {
  std::vector<std::string> all{rootlet_, "encapsulate"};
  for (std::string& option : common_options(filter_)) all.push_back(std::move(option));
  for (const std::string& bind : binds) all.push_back("--rootlet-bind=" + bind);
  std::string quoted;
  for (const char letter : root) {
    if (letter == '|' || letter == '\\') quoted += '\\';
    quoted += letter;
  }
  all.push_back(quoted);
  all.insert(all.end(), words.begin(), words.end());
  return run(std::move(all), std::move(on_line));
}

// The caller's own settings and variables are for his runs, not for this one.
// HOME is a directory that the root has: the place of another one would be
// made by covering the directory above it, in which then nothing can be made.
Result<CommandEnd> Engine::run(std::vector<std::string> words,
                               std::function<void(std::string_view)> on_line) const {
  return run_command({std::move(words),
                      {"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL=C.UTF-8",
                       "HOME=/root", "XDG_CONFIG_HOME=/nonexistent"},
                      std::move(on_line)});
}

}  // namespace rootlet::packaging
