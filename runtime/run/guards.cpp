// SPDX-License-Identifier: MIT
#include "runtime/run/guards.hpp"

#include <algorithm>

#include "runtime/run/paths.hpp"

namespace rootlet {
namespace {

using sandbox::Place;

constexpr const char* kGuarded[] = {".rootlet",         ".ssh",
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

// A path inside something else.
std::string in(const std::string& top, const std::string& rest) {
  return (top == "/" ? "" : top) + rest;
}

class Guards {
 public:
  Guards(sandbox::Plan& plan, const Subject& subject, const Caller& caller,
         std::vector<std::string>& notes)
      : plan_(plan), notes_(notes) {
    const bool asked = plan.root_writable || plan.root == sandbox::RootKind::host;
    if (!asked) guarded_.push_back(real_path(subject.file));
    for (const std::string& path : subject.guarded) guarded_.push_back(real_path(path));
    if (caller.home.empty()) return;
    home_ = real_path(caller.home);
    for (const char* name : kGuarded) guarded_.push_back(in(home_, "/") + name);
  }

  void add() {
    if (plan_.root_writable) {
      Place root;
      root.source = plan_.root_directory;
      root.target = "/";
      plan_.root_writable = guard(root);
    }
    const std::size_t count = plan_.places.size();
    for (std::size_t i = 0; i < count; ++i) {
      const Place place = plan_.places[i];
      if (place.kind != Place::Kind::bind || !place.writable || place.guards) continue;
      plan_.places[i].writable = guard(place);
    }
  }

 private:
  // False: it may not be writable itself.
  bool guard(const Place& bind) {
    const std::string source = real_path(bind.source);
    bool allowed = true;
    for (const std::string& path : guarded_) allowed = guard(bind, source, path) && allowed;
    // Its like in any directory that is shown, whosever home that is.
    if (source == home_) return allowed;
    for (const char* name : kGuarded) {
      allowed = guard(bind, source, in(without_slash(source), "/") + name) && allowed;
    }
    return allowed;
  }

  // `path` is read-only inside, if the bind shows it.
  bool guard(const Place& bind, const std::string& source, const std::string& path) {
    if (is_below(source, path)) {  // it shows the thing itself, or a part of it
      if (!exists(path)) return true;
      notes_.push_back(source + " is read-only inside: the next run or login would execute it");
      return false;
    }
    if (!is_below(path, source) || !exists(path)) return true;
    // A directory on the way cannot be renamed while something is mounted on
    // it (EBUSY), so nothing else can take the guarded one's place.
    const std::size_t first = source == "/" ? 1 : source.size() + 1;
    for (std::size_t slash = path.find('/', first); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
      add_over(bind, source, path.substr(0, slash), true);
    }
    add_over(bind, source, path, false);
    return true;
  }

  void add_over(const Place& bind, const std::string& source, const std::string& path,
                bool writable) {
    Place place;
    place.source = path;
    // The path by which it is seen through the bind.
    place.target = in(without_slash(bind.target), path.substr(source == "/" ? 0 : source.size()));
    place.writable = writable;
    place.optional = true;
    const auto& places = plan_.places;
    const bool known = std::any_of(places.begin(), places.end(), [&](const Place& other) {
      return other.target == place.target && other.source == place.source;
    });
    if (known) return;
    place.follows = bind.target;
    place.guards = true;
    plan_.places.push_back(place);
  }

  sandbox::Plan& plan_;
  std::vector<std::string>& notes_;
  std::string home_;
  std::vector<std::string> guarded_;
};

}  // namespace

void add_guards(sandbox::Plan& plan, const Subject& subject, const Caller& caller,
                std::vector<std::string>& notes) {
  Guards(plan, subject, caller, notes).add();
}

}  // namespace rootlet
