// SPDX-License-Identifier: MIT
#include "runtime/run/path_check.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <climits>

#include "runtime/base/error.hpp"
#include "runtime/base/text.hpp"
#include "runtime/run/paths.hpp"
#include "runtime/sandbox/rule_filter.hpp"

namespace rootlet {
namespace {

std::string link_text(const std::string& link) {
  char text[PATH_MAX];
  const ssize_t size = ::readlink(link.c_str(), text, sizeof text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

std::string proc(std::uint32_t pid, const std::string& entry) {
  return join({"/proc/", digits(pid), "/", entry});
}

// A text of the process's memory.
std::string text_at(std::uint32_t pid, std::uint64_t address) {
  char text[PATH_MAX];
  iovec to{text, sizeof text};
  // Up to the end of a page: the next one may not be there.
  iovec from{reinterpret_cast<void*>(address), sizeof text - (address & (sizeof text - 1))};
  std::string out;
  while (out.size() < PATH_MAX) {
    const long got = ::syscall(SYS_process_vm_readv, pid, &to, 1, &from, 1, 0);
    if (got <= 0) break;
    const std::string_view piece(text, static_cast<std::size_t>(got));
    const std::size_t end = piece.find('\0');
    out += piece.substr(0, end);
    if (end != std::string_view::npos) break;
    from = {reinterpret_cast<void*>(address + out.size()), sizeof text};
  }
  return out;
}

// Inside, with links followed; empty where there is nothing.
std::string real_in(int root, const std::string& path) {
  if (is_below(path, "/proc")) return path;  // its links mean whoever looks at them
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT;
  const os::Fd at(static_cast<int>(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how)));
  return at.valid() ? link_text(os::fd_path(at.get())) : std::string();
}

bool is_directory(int root, const std::string& path) {
  struct stat status {};
  return ::fstatat(root, path.c_str() + 1, &status, 0) == 0 && S_ISDIR(status.st_mode);
}

// What open(2)'s flags ask for.
std::uint32_t access_of(int flags, bool directory) {
  if (flags & O_PATH) return 0;
  const int mode = flags & O_ACCMODE;
  std::uint32_t access = mode == O_WRONLY ? 0u : directory ? Rules::list : Rules::read;
  if (mode != O_RDONLY || (flags & O_TRUNC)) access |= Rules::write;
  return access;
}

// A name as the call has it, from the root on.
std::string whole(std::uint32_t pid, int at, const seccomp_notif& call, const std::string& name) {
  if (name.starts_with('/')) return name;
  const int fd = at < 0 ? AT_FDCWD : static_cast<int>(call.data.args[at]);
  const std::string base =
      link_text(proc(pid, fd == AT_FDCWD ? "cwd" : "fd/" + digits(static_cast<unsigned>(fd))));
  return name.empty() ? base : joined(base, name);
}

std::string last_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

std::string program_of(std::uint32_t pid) {
  const std::string name = link_text(proc(pid, "exe"));
  return name.empty() ? "a program" : printable(name);
}

std::string name_in(const seccomp_notif& call) {
  const auto* row = sandbox::path_call(static_cast<std::uint32_t>(call.data.nr));
  if (row == nullptr) return {};
  return "\"" + printable(text_at(call.pid, call.data.args[row->name])) + "\"";
}

void PathCheck::learn_paths(const Rules& rules) {
  for (const Rules::Path& path : rules.paths) {
    const std::string real = real_in(root_.get(), path.path);
    paths_.push_back(real.empty() ? path.path : real);
  }
}

// As sandbox/landlock.cpp has it.
std::uint32_t PathCheck::granted(const Rules& rules, const std::string& path) const {
  constexpr std::uint32_t kNames = Rules::create | Rules::remove;
  std::uint32_t all = 0;
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    const Rules::Path& rule = rules.paths[i];
    if (paths_[i] == path || (rule.below && is_below(path, paths_[i]))) all |= rule.access;
    if (rule.below || !is_below(path, directory_of(paths_[i]))) continue;
    all |= rule.access & (rule.access & Rules::create ? ~0u : kNames);
  }
  return all;
}

std::vector<PathNeed> PathCheck::look(const Rules& rules, const seccomp_notif& call) {
  std::vector<PathNeed> needs;
  const auto* row = sandbox::path_call(static_cast<std::uint32_t>(call.data.nr));
  if (row == nullptr) return needs;
  if (!root_.valid()) {
    root_ = os::Fd(::open(proc(call.pid, "root").c_str(), O_PATH | O_CLOEXEC | O_DIRECTORY));
    if (!root_.valid()) return needs;
    learn_paths(rules);
  }
  const auto add = [&](const std::string& path, std::uint32_t access) {
    const std::uint32_t missing = access & ~granted(rules, path);
    if (missing != 0) needs.push_back({path, missing});
  };
  // A name in a directory: the link at its end is not followed.
  const auto named = [&](int at, int name) {
    const std::string path = whole(call.pid, at, call, text_at(call.pid, call.data.args[name]));
    const std::string directory = real_in(root_.get(), directory_of(path));
    return directory.empty() ? path : joined(directory, last_of(path));
  };
  const std::string path =
      whole(call.pid, row->at, call, text_at(call.pid, call.data.args[row->name]));
  const std::string real = real_in(root_.get(), path);
  if (row->flags >= 0) {
    const int flags = static_cast<int>(call.data.args[row->flags]);
    if (!real.empty()) {
      add(real, access_of(flags, is_directory(root_.get(), real)));
    } else if (flags & O_CREAT) {
      add(named(row->at, row->name), Rules::create | access_of(flags, false));
    }
  } else if (row->access & (Rules::create | Rules::remove)) {
    add(named(row->at, row->name), row->access);
    if (row->second_name > 0) add(named(row->second_at, row->second_name), Rules::create);
  } else if (!real.empty()) {
    add(real, row->access);
  }
  return needs;
}

}  // namespace rootlet
