// SPDX-License-Identifier: MIT
#include "runtime/run/path_check.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <utility>

#include "runtime/base/error.hpp"
#include "runtime/base/text.hpp"
#include "runtime/run/paths.hpp"
#include "runtime/sandbox/resolve.hpp"
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
  const os::Fd at(sandbox::open_in_root(root, path, O_PATH));
  return at.valid() ? link_text(os::fd_path(at.get())) : std::string();
}

bool is_directory(int root, const std::string& path) {
  struct stat status {};
  return ::fstatat(root, path.c_str() + 1, &status, 0) == 0 && S_ISDIR(status.st_mode);
}

// What the kernel executes to start it: the loader of an ELF program, the
// interpreter of a script; empty where it needs none.
std::string starter_of(int root, const std::string& path) {
  char head[4096] = {};
  const os::Fd file(sandbox::open_in_root(root, path, O_RDONLY | O_NONBLOCK));
  if (!file.valid() || ::pread(file.get(), head, sizeof head - 1, 0) < 4) return {};
  const std::string_view text(head, sizeof head - 1);
  if (text.starts_with("#!")) {
    const std::size_t from = std::min(text.find_first_not_of(" \t", 2), text.size());
    return std::string(
        text.substr(from, text.find_first_of(std::string_view(" \t\n\0", 4), from) - from));
  }
  Elf64_Ehdr elf;
  std::memcpy(&elf, head, sizeof elf);
  if (!text.starts_with(ELFMAG)) return {};
  for (std::size_t i = 0; i < elf.e_phnum; ++i) {
    Elf64_Phdr part;
    const std::size_t at = elf.e_phoff + i * sizeof part;
    if (at > sizeof head - sizeof part) break;
    std::memcpy(&part, head + at, sizeof part);
    if (part.p_type == PT_INTERP && part.p_offset < sizeof head) return head + part.p_offset;
  }
  return {};
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
  return all | (all & Rules::execute ? Rules::read : 0u);
}

bool PathCheck::find_root(const Rules& rules, std::uint32_t pid) {
  if (root_.valid()) return true;
  root_ = os::Fd(::open(proc(pid, "root").c_str(), O_PATH | O_CLOEXEC | O_DIRECTORY));
  if (root_.valid()) learn_paths(rules);
  return root_.valid();
}

void PathCheck::add(std::vector<PathNeed>& needs, const Rules& rules, const std::string& path,
                    std::uint32_t access) const {
  const std::uint32_t missing = access & ~granted(rules, path);
  if (missing != 0) needs.push_back({path, missing});
}

// With what starts it; a script's interpreter has a loader, too.
void PathCheck::add_program(std::vector<PathNeed>& needs, const Rules& rules,
                            std::string path) const {
  for (int depth = 0; depth < 3 && !path.empty(); ++depth) {
    path = real_in(root_.get(), path);
    if (path.empty()) return;
    add(needs, rules, path, Rules::execute);
    path = starter_of(root_.get(), path);
  }
}

std::vector<PathNeed> PathCheck::look(const Rules& rules, const seccomp_notif& call) {
  std::vector<PathNeed> needs;
  const int root = find_root(rules, call.pid) ? root_.get() : -1;
  if (root < 0) return needs;
  if (!first_.empty()) add_program(needs, rules, std::exchange(first_, {}));
  const auto* row = sandbox::path_call(static_cast<std::uint32_t>(call.data.nr));
  if (row == nullptr) return needs;
  // A name in a directory: the link at its end is not followed.
  const auto named = [&](int at, int name) {
    const std::string path = whole(call.pid, at, call, text_at(call.pid, call.data.args[name]));
    const std::string directory = real_in(root, directory_of(path));
    return directory.empty() ? path : joined(directory, last_of(path));
  };
  const std::string path =
      whole(call.pid, row->at, call, text_at(call.pid, call.data.args[row->name]));
  if (row->access == Rules::execute) {
    add_program(needs, rules, path);
  } else if (row->access & (Rules::create | Rules::remove)) {
    add(needs, rules, named(row->at, row->name), row->access);
    if (row->second_name > 0) {
      add(needs, rules, named(row->second_at, row->second_name), Rules::create);
    }
  } else if (const std::string real = real_in(root, path); !real.empty()) {
    const int flags = row->flags < 0 ? 0 : static_cast<int>(call.data.args[row->flags]);
    add(needs, rules, real,
        row->flags < 0 ? row->access : access_of(flags, is_directory(root, real)));
  } else if (row->flags >= 0 && (call.data.args[row->flags] & O_CREAT)) {
    const int flags = static_cast<int>(call.data.args[row->flags]);
    add(needs, rules, named(row->at, row->name), Rules::create | access_of(flags, false));
  }
  return needs;
}

}  // namespace rootlet
