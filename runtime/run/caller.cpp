// SPDX-License-Identifier: MIT
#include "runtime/run/caller.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/base/text.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/run/options.hpp"

namespace rootlet {
namespace {

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t end = std::min(line.find(':', at), line.size());
    fields.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return fields;
}

// Calls `see` with every line.
template <typename See>
void each_line(std::string_view text, See see) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) see(text.substr(at, end - at));
    at = end + 1;
  }
}

// A name that cannot break a line of passwd.
bool is_name(const std::string& text) {
  return !text.empty() && text.size() < 64 && text.find_first_of(":\n/ ") == std::string::npos;
}

// The host's files only: a static program cannot load the modules by which
// libc asks LDAP and its like. Those users are named by the environment.
void look_up(Caller& caller) {
  auto passwd = os::read_file(AT_FDCWD, "/etc/passwd", 1u << 20);
  auto group = os::read_file(AT_FDCWD, "/etc/group", 1u << 20);
  const std::string uid = std::to_string(caller.uid);
  const std::string gid = std::to_string(caller.gid);
  if (passwd.ok()) {
    each_line(passwd.value(), [&](std::string_view line) {
      const auto fields = fields_of(line);
      if (fields.size() < 7 || fields[2] != uid || !caller.user.empty()) return;
      caller.user = fields[0];
      caller.gecos = fields[4];
      if (caller.home.empty()) caller.home = fields[5];
    });
  }
  if (group.ok()) {
    each_line(group.value(), [&](std::string_view line) {
      const auto fields = fields_of(line);
      if (fields.size() >= 3 && fields[2] == gid && caller.group.empty()) caller.group = fields[0];
    });
  }
}

void find_directory(Caller& caller) {
  char path[4096];
  struct stat status {};
  if (::getcwd(path, sizeof path) == nullptr) {
    caller.cwd_trouble = errno == ENOENT   ? "it was deleted"
                         : errno == ERANGE ? "its path is too long to name"
                                           : "it cannot be read";
  } else if (path[0] != '/') {
    caller.cwd_trouble = "it cannot be reached from /";  // "(unreachable)...", Linux 2.6.36
  } else if (::stat(".", &status) != 0 || ::access(".", R_OK | X_OK) != 0 ||
             ::access(path, X_OK) != 0) {
    caller.cwd_trouble = "it cannot be read";
  } else {
    caller.cwd = path;
  }
}

std::string without(const std::string& existing, const std::string& name, const std::string& id) {
  std::string kept;
  each_line(existing, [&](std::string_view line) {
    const auto fields = fields_of(line);
    if (fields.size() >= 3 && (fields[0] == name || fields[2] == id)) return;
    (kept += line) += "\n";
  });
  return kept;
}

// Who has this number in a passwd or group, or what to call him.
std::string name_of(const std::string& existing, const std::string& id) {
  std::string name;
  each_line(existing, [&](std::string_view line) {
    const auto fields = fields_of(line);
    if (name.empty() && fields.size() >= 3 && fields[2] == id) name = fields[0];
  });
  if (is_name(name)) return name;
  return id == "0" ? "root" : "user";
}

}  // namespace

std::string Caller::variable(const std::string& name) const {
  for (const std::string& entry : env) {
    if (entry.starts_with(name + "=")) return entry.substr(name.size() + 1);
  }
  return {};
}

bool Caller::has_variable(const std::string& name) const {
  return std::any_of(env.begin(), env.end(),
                     [&](const std::string& entry) { return entry.starts_with(name + "="); });
}

Caller read_caller(const char* argv0, char** environment) {
  Caller caller;
  caller.uid = ::geteuid();
  caller.gid = ::getegid();
  caller.argv0 = argv0 != nullptr ? argv0 : "";
  for (char** entry = environment; entry != nullptr && *entry != nullptr; ++entry) {
    caller.env.emplace_back(*entry);
  }
  caller.home = caller.variable("HOME");
  look_up(caller);
  for (const char* name : {"LOGNAME", "USER"}) {
    if (caller.user.empty() && is_name(caller.variable(name))) caller.user = caller.variable(name);
  }
  if (caller.user.empty()) caller.user = "user";
  if (caller.group.empty()) caller.group = caller.user;
  caller.shell = "/bin/sh";
  if (caller.home.empty() || caller.home[0] != '/') caller.home.clear();
  find_directory(caller);
  return caller;
}

std::string passwd_with(const Caller& caller, uid_t uid, gid_t gid, const std::string& existing) {
  const std::string number = digits(uid);
  const std::string name = uid == caller.uid ? caller.user : name_of(existing, number);
  return join({name, ":x:", number, ":", digits(gid), ":", caller.gecos, ":",
               caller.home.empty() ? "/" : caller.home, ":", caller.shell, "\n",
               without(existing, name, number)});
}

bool names(const std::string& existing, unsigned id) {
  bool found = false;
  each_line(existing, [&](std::string_view line) {
    const auto fields = fields_of(line);
    found = found || (fields.size() >= 3 && fields[2] == digits(id));
  });
  return found;
}

std::string group_with(const Caller& caller, gid_t gid, const std::string& existing) {
  const std::string number = digits(gid);
  const std::string name = gid == caller.gid ? caller.group : name_of(existing, number);
  return join({name, ":x:", number, ":\n", without(existing, name, number)});
}

}  // namespace rootlet
