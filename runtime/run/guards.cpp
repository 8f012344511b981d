// SPDX-License-Identifier: MIT
#include "runtime/run/guards.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "runtime/run/paths.hpp"

namespace rootlet {
namespace {

using sandbox::Guard;
using sandbox::Place;

// What the next login or the next run would execute or trust.
constexpr const char* kNames[] = {".rootlet",         ".ssh",
                                  ".gnupg",           ".bashrc",
                                  ".bash_profile",    ".bash_login",
                                  ".bash_logout",     ".profile",
                                  ".zshrc",           ".zshenv",
                                  ".zprofile",        ".zlogin",
                                  ".kshrc",           ".cshrc",
                                  ".tcshrc",          ".login",
                                  ".pam_environment", ".xprofile",
                                  ".xinitrc",         ".xsession",
                                  ".config/rootlet",  ".config/autostart",
                                  ".config/systemd",  ".config/environment.d",
                                  ".config/fish"};

bool is_symlink(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
}

// A symlink lies on the way from `top`, which is none itself. Asked for every
// name of every start: realpath(3) would read each component from "/" again.
bool leads_elsewhere(const std::string& top, const std::string& path) {
  for (std::size_t slash = path.find('/', top.size() + 1);; slash = path.find('/', slash + 1)) {
    if (is_symlink(path.substr(0, slash))) return true;
    if (slash == std::string::npos) return false;
  }
}

void add(std::vector<Guard>& guards, const std::string& path, bool writable) {
  const auto known = std::find_if(guards.begin(), guards.end(),
                                  [&](const Guard& guard) { return guard.path == path; });
  if (known == guards.end()) {
    guards.push_back({path, writable});
  } else {
    known->writable = known->writable && writable;
  }
}

// `path` stays as it is, where `source` is shown. On the way down each
// directory is mounted over itself: nothing on which something is mounted can
// be renamed or removed (EBUSY), so nothing else can take its place. The same
// holds for a symlink (seen on Linux 6.18), and where it leads goes on.
void guard(std::vector<Guard>& guards, const std::string& source, const std::string& path) {
  if (!is_below(path, source) || path == source) return;
  const std::size_t top = source == "/" ? 1 : source.size() + 1;
  for (std::size_t slash = path.find('/', top);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (!exists(part)) return;
    const bool whole = slash == std::string::npos;
    const bool link = is_symlink(part);
    add(guards, part.substr(top), !whole || link);
    if (link) return guard(guards, source, real_path(path));
    if (whole) return;
  }
}

// All that is guarded wherever it is shown.
std::vector<std::string> guarded_paths(const sandbox::Plan& plan, const Subject& subject,
                                       const Caller& caller) {
  std::vector<std::string> paths;
  const bool of_host = plan.root_writable || plan.root == sandbox::RootKind::host;
  if (!of_host) paths.push_back(real_path(subject.file));
  for (const std::string& path : subject.guarded) paths.push_back(real_path(path));
  const std::string config = caller.variable("XDG_CONFIG_HOME");
  if (config.starts_with('/')) paths.push_back(joined(real_path(config), "rootlet"));
  if (caller.home.empty()) return paths;
  const std::string home = real_path(caller.home);
  for (const char* name : kNames) {
    paths.push_back(joined(home, name));
    // Where a symlink leads, which another bind may show.
    if (leads_elsewhere(home, paths.back())) paths.push_back(real_path(paths.back()));
  }
  return paths;
}

// False: it may not be writable itself.
bool guard_all(std::vector<Guard>& guards, const std::string& shown,
               const std::vector<std::string>& paths) {
  const std::string source = real_path(shown);
  for (const std::string& path : paths) {
    if (is_below(source, path) && exists(path)) return false;
  }
  for (const std::string& path : paths) guard(guards, source, path);
  // Its like in any directory that is shown, whosever home that is.
  for (const char* name : kNames) guard(guards, source, joined(source, name));
  return true;
}

bool is_guardable(const Place& place) { return place.kind == Place::Kind::bind && place.writable; }

}  // namespace

void add_guards(sandbox::Plan& plan, const Subject& subject, const Caller& caller,
                std::vector<std::string>& notes) {
  const std::vector<std::string> paths = guarded_paths(plan, subject, caller);
  const auto refused = [&](const std::string& source) {
    notes.push_back(source + " is read-only inside: the next run or login would execute it");
    return false;
  };
  if (plan.root_writable && !guard_all(plan.root_guards, plan.root_directory, paths)) {
    plan.root_writable = refused(plan.root_directory);
  }
  for (Place& place : plan.places) {
    if (!is_guardable(place) || guard_all(place.guards, place.source, paths)) continue;
    place.writable = refused(place.source);
    place.guards.clear();
  }
}

std::vector<std::string> unguarded(const sandbox::Plan& plan, const Caller& caller) {
  std::vector<std::string> missing;
  if (caller.home.empty()) return missing;
  std::vector<std::string> shown;
  if (plan.root_writable) shown.push_back(real_path(plan.root_directory));
  for (const Place& place : plan.places) {
    if (is_guardable(place)) shown.push_back(real_path(place.source));
  }
  const std::string home = real_path(caller.home);
  for (const char* name : kNames) {
    const std::string path = joined(home, name);
    const bool is_shown = std::any_of(shown.begin(), shown.end(), [&](const std::string& source) {
      return is_below(path, source);
    });
    if (is_shown && !exists(path)) missing.push_back(path);
  }
  return missing;
}

}  // namespace rootlet
