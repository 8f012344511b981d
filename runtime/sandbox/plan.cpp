// SPDX-License-Identifier: MIT
#include "runtime/sandbox/plan.hpp"

#include <linux/sched.h>

#include "runtime/base/error.hpp"

namespace rootlet::sandbox {
namespace {

std::string namespaces_text(unsigned long flags) {
  std::string text;
  const auto add = [&](unsigned long flag, const char* name) {
    if (flags & flag) text += (text.empty() ? "" : " ") + std::string(name);
  };
  add(CLONE_NEWUSER, "user");
  add(CLONE_NEWNS, "mount");
  add(CLONE_NEWPID, "pid");
  add(CLONE_NEWIPC, "ipc");
  add(CLONE_NEWUTS, "uts");
  add(CLONE_NEWCGROUP, "cgroup");
  return text;
}

std::string root_text(const Plan& plan) {
  const std::string access = plan.root_writable ? " (rw)" : " (ro)";
  switch (plan.root) {
    case RootKind::image: return "image, " + plan.root_reached;
    case RootKind::directory: return "directory " + plan.root_directory + access;
    case RootKind::host: return "the host's" + access;
  }
  return {};
}

std::string place_text(const Place& place) {
  switch (place.kind) {
    case Place::Kind::bind:
      return place.source + " -> " + place.target + (place.writable ? " (rw)" : " (ro)") +
             (place.only_if_empty ? ", unless the image has entries there" : "");
    case Place::Kind::scratch: return "scratch -> " + place.target;
    case Place::Kind::text: return "generated -> " + place.target;
    case Place::Kind::image:
      return "image " + place.source + (place.part.empty() ? "" : "//" + place.part) + " -> " +
             place.target + " (ro)";
    case Place::Kind::hidden: return "hidden -> " + place.target;
  }
  return {};
}

}  // namespace

std::string Plan::text() const {
  constexpr const char* kProfiles[] = {"isolated", "contained", "compat"};
  std::string out;
  const auto line = [&](const std::string& name, const std::string& value) {
    out += name + ": " + printable(value) + "\n";
  };
  line("profile", kProfiles[static_cast<int>(profile)]);
  line("root", root_text(*this));
  line("namespaces", namespaces_text(namespaces) + (own_network ? " net" : ""));
  line("network", own_network ? "none" : "host");
  line("ids", std::to_string(ids.uid) + ":" + std::to_string(ids.gid));
  if (ids.written_outside()) {
    const auto map = [&](const char* name, std::string ranges) {
      for (char& c : ranges) c = c == '\n' ? ',' : c;
      line(name, ranges.substr(0, ranges.size() - 1));
    };
    map("uid map", ids.uids);
    map("gid map", ids.gids);
  }
  line("system-call filter", filter ? "default" : "none");
  for (const Place& place : places) line("mount", place_text(place));
  for (const std::string& limit : limits) line("limit", limit);
  line("directory", cwd);
  line("program", program);
  for (const std::string& argument : argv) line("argument", argument);
  for (const std::string& variable : env) line("variable", variable);
  return out;
}

}  // namespace rootlet::sandbox
