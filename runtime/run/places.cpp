// SPDX-License-Identifier: MIT
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "runtime/run/make_plan.hpp"

namespace rootlet {
namespace {

using sandbox::Place;

// What the next login or the next run would execute or trust: read-only
// inside whatever is bound writable.
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

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

bool is_below(const std::string& path, const std::string& top) {
  return path == top || top == "/" ||
         (path.size() > top.size() && path.starts_with(top) && path[top.size()] == '/');
}

std::string real_path(const std::string& path) {
  char resolved[4096];
  return ::realpath(path.c_str(), resolved) != nullptr ? resolved : path;
}

std::string absolute(const std::string& path, const Caller& caller) {
  if (path.empty() || path[0] == '/' || !caller.cwd) return path;
  return *caller.cwd + "/" + path;
}

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

Place scratch(const std::string& target, unsigned mode) {
  Place place;
  place.kind = Place::Kind::scratch;
  place.target = target;
  place.mode = mode;
  return place;
}

Place bound(const std::string& source, const std::string& target, bool writable) {
  Place place;
  place.source = source;
  place.target = target;
  place.writable = writable;
  return place;
}

Place if_there(Place place) {
  place.optional = true;
  return place;
}

Place text(const std::string& target, const std::string& content) {
  Place place;
  place.kind = Place::Kind::text;
  place.target = target;
  place.source = content;
  return place;
}

// The path by which something on the host is seen through a bind.
std::string through(const Place& bind, const std::string& real_source, const std::string& path) {
  return real_source == "/" ? bind.target + path
                            : without_slash(bind.target) + path.substr(real_source.size());
}

class Places {
 public:
  Places(const Options& options, const Subject& subject, const Caller& caller,
         const sandbox::Plan& plan, std::vector<std::string>& notes)
      : options_(options), subject_(subject), caller_(caller), plan_(plan), notes_(notes) {}

  Result<std::vector<Place>> make() {
    temporary_directories();
    home();
    accounts();
    time_and_names();
    current_directory();
    TRY(asked_for());
    guards();
    return std::move(list_);
  }

 private:
  bool compat() const { return plan_.profile == Profile::compat; }

  void temporary_directories() {
    if (compat()) {
      list_.push_back(bound("/tmp", "/tmp", true));
      list_.push_back(if_there(bound("/var/tmp", "/var/tmp", true)));
      list_.push_back(if_there(bound("/dev/shm", "/dev/shm", true)));
    } else {
      list_.push_back(scratch("/tmp", 01777));
      list_.push_back(scratch("/var/tmp", 01777));
    }
    list_.push_back(scratch("/run", 0755));
  }

  void home() {
    if (caller_.home.empty() || caller_.home == "/") return;
    const std::string target = without_slash(caller_.home);
    if (options_.home && *options_.home != "none") {
      list_.push_back(bound(absolute(*options_.home, caller_), target, true));
    } else if (compat() && !options_.home) {
      list_.push_back(if_there(bound(target, target, true)));
    } else {
      list_.push_back(scratch(target, 0700));
    }
  }

  void accounts() {
    const auto current = [&](const char* path) { return subject_.root_file(path).value_or(""); };
    const std::string passwd = current("etc/passwd");
    const std::string group = current("etc/group");
    const sandbox::Ids& ids = plan_.ids;
    list_.push_back(text("/etc/passwd", passwd_with(caller_, ids.uid, ids.gid, passwd)));
    list_.push_back(text("/etc/group", group_with(caller_, ids.gid, group)));
  }

  void time_and_names() {
    // A symlink there names one of the image's own zones: binding over it
    // would change what that zone is.
    if (subject_.has_file("etc/localtime")) {
      list_.push_back(if_there(bound("/etc/localtime", "/etc/localtime", false)));
    }
    if (plan_.own_network) return;
    for (const char* path : {"/etc/resolv.conf", "/etc/hosts"}) {
      list_.push_back(if_there(bound(path, path, false)));
    }
    if (!subject_.has_file("etc/nsswitch.conf")) {
      list_.push_back(if_there(bound("/etc/nsswitch.conf", "/etc/nsswitch.conf", false)));
    }
  }

  void current_directory() {
    if (plan_.profile == Profile::isolated) return;
    const auto say = [&](const std::string& why) {
      notes_.push_back("the current directory is not shown: " + why + " (" + option_text("bind") +
                       "=SRC:DST shows a directory)");
    };
    if (!caller_.cwd) return say(caller_.cwd_trouble);
    const std::string& cwd = *caller_.cwd;
    if (cwd == "/") return say("it is /");
    for (const char* ours : {"/proc", "/sys", "/dev", "/run"}) {
      if (is_below(cwd, ours)) return say("it lies in " + std::string(ours));
    }
    Place place = bound(cwd, cwd, true);
    place.only_if_empty = true;
    list_.push_back(place);
  }

  Status asked_for() {
    const bool writable = plan_.profile != Profile::isolated;
    const std::size_t first = list_.size();
    for (const Bind& bind : options_.binds) {
      TRY(add(bind.source, bind.target, bind.writable.value_or(writable)));
    }
    for (const std::string& path : options_.inputs) TRY(add(path, "", false));
    for (const std::string& path : options_.outputs) TRY(add(path, "", true));
    for (const std::string& path : options_.scratch) {
      if (path[0] != '/') {
        return plain_error("read the options", option_text("writable") + "=" + path,
                           "not an absolute path");
      }
      list_.push_back(scratch(without_slash(path), 0755));
    }
    for (Place place : subject_.attached) {
      place.target = without_slash(place.target);
      list_.push_back(std::move(place));
    }
    outer_first(first);
    return Done{};
  }

  // In whatever order they were named, what lies inside of another comes after
  // it; of two for one target the later one is seen.
  void outer_first(std::size_t first) {
    const auto begin = list_.begin() + static_cast<std::ptrdiff_t>(first);
    std::vector<Place> asked(std::make_move_iterator(begin), std::make_move_iterator(list_.end()));
    list_.erase(begin, list_.end());
    for (std::ptrdiff_t depth = 1; list_.size() < first + asked.size(); ++depth) {
      for (Place& place : asked) {
        if (std::count(place.target.begin(), place.target.end(), '/') != depth) continue;
        list_.push_back(std::move(place));
        place.target.clear();  // it is placed
      }
    }
  }

  Status add(const std::string& source, const std::string& target, bool writable) {
    const std::string from = absolute(source, caller_);
    if (from[0] != '/') {
      return plain_error("bind", source, "there is no current directory to take it from",
                         "give an absolute path");
    }
    // DST defaults to SRC as it was named: tools are told that name.
    const std::string to = without_slash(target.empty() ? from : target);
    if (to == "/") {
      return plain_error("bind", source, "it cannot take the place of /",
                         "bind what is needed of it, or use rootlet run DIRECTORY");
    }
    list_.push_back(bound(from, to, writable));
    return Done{};
  }

  void guards() {
    std::vector<std::string> guarded = {real_path(subject_.file)};
    for (const std::string& path : subject_.guarded) guarded.push_back(real_path(path));
    const std::string home = caller_.home.empty() ? "" : real_path(caller_.home);
    for (const char* name : kGuarded) {
      if (!home.empty()) guarded.push_back(without_slash(home) + "/" + name);
    }
    const std::size_t count = list_.size();
    for (std::size_t i = 0; i < count; ++i) {
      if (list_[i].kind != Place::Kind::bind || !list_[i].writable || list_[i].guards) continue;
      const std::string source = real_path(list_[i].source);
      for (const std::string& path : guarded) guard(i, source, path);
      // Its like in any directory that is shown, whosever home that is.
      if (source == home) continue;
      for (const char* name : kGuarded) guard(i, source, without_slash(source) + "/" + name);
    }
  }

  // `path` is read-only inside, if the bind shows it.
  void guard(std::size_t index, const std::string& source, const std::string& path) {
    if (is_below(source, path)) {  // it shows the thing itself, or a part of it
      if (!exists(path)) return;
      list_[index].writable = false;
      notes_.push_back(source + " is read-only inside: the next run or login would execute it");
      return;
    }
    if (!is_below(path, source) || !exists(path)) return;
    const Place bind = list_[index];
    // A directory on the way cannot be renamed while something is mounted on
    // it (EBUSY), so nothing else can take the guarded one's place.
    for (std::size_t slash = path.find('/', source.size() + 1); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
      add_over(bind, source, path.substr(0, slash), true);
    }
    add_over(bind, source, path, false);
  }

  void add_over(const Place& bind, const std::string& source, const std::string& path,
                bool writable) {
    Place place = if_there(bound(path, through(bind, source, path), writable));
    const bool known = std::any_of(list_.begin(), list_.end(), [&](const Place& other) {
      return other.target == place.target && other.source == place.source;
    });
    if (known) return;
    place.follows = bind.target;
    place.guards = true;
    list_.push_back(place);
  }

  const Options& options_;
  const Subject& subject_;
  const Caller& caller_;
  const sandbox::Plan& plan_;
  std::vector<std::string>& notes_;
  std::vector<Place> list_;
};

}  // namespace

Result<std::vector<Place>> make_places(const Options& options, const Subject& subject,
                                       const Caller& caller, const sandbox::Plan& plan,
                                       std::vector<std::string>& notes) {
  return Places(options, subject, caller, plan, notes).make();
}

}  // namespace rootlet
