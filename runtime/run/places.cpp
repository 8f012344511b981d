// SPDX-License-Identifier: MIT
#include <algorithm>
#include <iterator>

#include "runtime/os/fd.hpp"
#include "runtime/run/argument_paths.hpp"
#include "runtime/run/desktop.hpp"
#include "runtime/run/gpu.hpp"
#include "runtime/run/guards.hpp"
#include "runtime/run/make_plan.hpp"
#include "runtime/run/network.hpp"
#include "runtime/run/paths.hpp"

namespace rootlet {
namespace {

using sandbox::Place;

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

// With tmp=DIR.
Place on_disk(Place place) {
  place.may_lie_on_disk = true;
  return place;
}

Place text(const std::string& target, const std::string& content) {
  Place place;
  place.kind = Place::Kind::text;
  place.target = target;
  place.source = content;
  return place;
}

class Places {
 public:
  Places(sandbox::Plan& plan, const Options& options, const Subject& subject, const Caller& caller,
         std::vector<std::string>& notes)
      : options_(options),
        subject_(subject),
        caller_(caller),
        plan_(plan),
        of_host_(plan.root == sandbox::RootKind::host),
        own_root_(options.only_named && plan.root == sandbox::RootKind::directory),
        notes_(notes),
        list_(plan.places) {}

  Status add() {
    temporary_directories();
    if (of_host_) host_view();
    home();
    accounts();
    if (!of_host_ && !own_root_) time_and_names();
    current_directory();
    TRY(asked_for());
    TRY(add_gpus(list_, options_, caller_));
    return add_desktop(list_, options_, caller_);
  }

 private:
  bool compat() const { return plan_.profile == Profile::compat; }

  void temporary_directories() {
    if (compat()) {
      list_.push_back(bound("/tmp", "/tmp", true));
      list_.push_back(if_there(bound("/var/tmp", "/var/tmp", true)));
      list_.push_back(if_there(bound("/dev/shm", "/dev/shm", true)));
    } else {
      list_.push_back(on_disk(scratch("/tmp", 01777)));
      if (!own_root_) list_.push_back(on_disk(scratch("/var/tmp", 01777)));
    }
    if (!own_root_) list_.push_back(scratch("/run", 0755));
  }

  // Beyond the private directories: where sessions keep their sockets, and
  // what is hidden one by one. /etc/resolv.conf is often a link into /run.
  void host_view() {
    const std::string runtime = without_slash(caller_.variable("XDG_RUNTIME_DIR"));
    if (runtime.size() > 1 && runtime[0] == '/' && exists(runtime)) {
      list_.push_back(scratch(real_path(runtime), 0700));
    }
    const std::size_t count = list_.size();
    const auto hides = [&](const std::string& path) {
      return std::any_of(list_.begin(), list_.begin() + static_cast<std::ptrdiff_t>(count),
                         [&](const Place& place) {
                           return place.kind == Place::Kind::scratch &&
                                  is_below(path, place.target);
                         });
    };
    for (const std::string& path : *options_.hidden) {
      if (hides(path)) continue;
      list_.push_back(Place{});
      list_.back().kind = Place::Kind::hidden;
      list_.back().target = path;
    }
    const std::string names = real_path("/etc/resolv.conf");
    if (hides(names)) list_.push_back(if_there(bound(names, names, false)));
  }

  void home() {
    if (caller_.home.empty() || caller_.home == "/") return;
    const std::string target = without_slash(caller_.home);
    if (options_.home && *options_.home != "none") {
      list_.push_back(bound(absolute(*options_.home, caller_), target, true));
    } else if (compat() && !options_.home) {
      list_.push_back(if_there(bound(target, target, true)));
    } else if (options_.home || !of_host_) {
      list_.push_back(on_disk(scratch(target, 0700)));
      list_.back().only_if_missing = own_root_ && !options_.home;
    }
  }

  void accounts() {
    const auto current = [&](const char* path) { return subject_.root_file(path); };
    const auto passwd = current("etc/passwd"), group = current("etc/group");
    const sandbox::Ids& ids = plan_.ids;
    // Files that may be written, or are the host's own, are shown as they are
    // where they know the caller, and are not made.
    const bool keep = of_host_ || (own_root_ && plan_.root_writable);
    if (!keep || (passwd && !names(*passwd, ids.uid))) {
      list_.push_back(
          text("/etc/passwd", passwd_with(caller_, ids.uid, ids.gid, passwd.value_or(""))));
    }
    if (!keep || (group && !names(*group, ids.gid))) {
      list_.push_back(text("/etc/group", group_with(caller_, ids.gid, group.value_or(""))));
    }
  }

  void time_and_names() {
    // A symlink there names one of the image's own zones: binding over it
    // would change what that zone is.
    if (subject_.has_file("etc/localtime")) {
      list_.push_back(if_there(bound("/etc/localtime", "/etc/localtime", false)));
    }
    if (plan_.own_network && plan_.wiring == sandbox::Wiring::none) return;
    constexpr const char* kResolver = "/etc/resolv.conf";
    auto resolver = os::read_file(AT_FDCWD, kResolver, 1u << 16);
    if (plan_.wiring == sandbox::Wiring::none || plan_.wiring == sandbox::Wiring::veth) {
      list_.push_back(if_there(bound(kResolver, kResolver, false)));
    } else if (resolver.ok()) {
      list_.push_back(text(kResolver, resolver_text(plan_, resolver.value())));
    }
    list_.push_back(if_there(bound("/etc/hosts", "/etc/hosts", false)));
    if (!subject_.has_file("etc/nsswitch.conf")) {
      list_.push_back(if_there(bound("/etc/nsswitch.conf", "/etc/nsswitch.conf", false)));
    }
  }

  void current_directory() {
    if (plan_.profile == Profile::isolated || options_.only_named) return;
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
    place.here = true;
    place.only_if_empty = !of_host_;
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
      list_.push_back(scratch(without_slash(path), 0755));
      list_.back().kind = Place::Kind::writable;
    }
    if (options_.bind_args) of_arguments(*options_.bind_args);
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

  void of_arguments(bool writable) {
    for (const std::string& directory : directories_of_arguments(subject_.arguments, caller_)) {
      if (shows(list_, directory)) continue;
      list_.push_back(bound(directory, directory, writable));
      list_.back().only_if_empty = true;  // of the image's own directories nothing is hidden
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
    list_.back().devices = is_below(real_path(from), "/dev");  // who names one means to use it
    return Done{};
  }

  const Options& options_;
  const Subject& subject_;
  const Caller& caller_;
  const sandbox::Plan& plan_;
  bool of_host_;   // the root is the host's own
  bool own_root_;  // the root is a directory, shown as it is
  std::vector<std::string>& notes_;
  std::vector<Place>& list_;
};

}  // namespace

Status add_places(sandbox::Plan& plan, const Options& options, const Subject& subject,
                  const Caller& caller, std::vector<std::string>& notes) {
  TRY(Places(plan, options, subject, caller, notes).add());
  add_guards(plan, subject, caller, notes);
  return Done{};
}

}  // namespace rootlet
