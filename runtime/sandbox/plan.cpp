// SPDX-License-Identifier: MIT
#include "runtime/sandbox/plan.hpp"

#include <linux/sched.h>

#include <algorithm>

#include "runtime/base/error.hpp"
#include "runtime/base/json_text.hpp"
#include "runtime/base/text.hpp"

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
    case Place::Kind::writable: return "scratch over the image -> " + place.target;
    case Place::Kind::text: return "generated -> " + place.target;
    case Place::Kind::image:
      return "image " + place.source + (place.part.empty() ? "" : "//" + place.part) + " -> " +
             place.target + " (ro)";
    case Place::Kind::hidden: return "hidden -> " + place.target;
  }
  return {};
}

std::string overlay_text(const Overlay& overlay) {
  return overlay.directory.empty() ? "in memory, at most " + overlay.size : overlay.directory;
}

constexpr const char* kKinds[] = {"bind", "scratch", "writable", "text", "image", "hidden"};

void add_place(JsonText& json, const Place& place) {
  json.object().text("kind", kKinds[static_cast<int>(place.kind)]).text("target", place.target);
  if (place.kind == Place::Kind::bind) {
    json.text("source", place.source).truth("writable", place.writable);
    json.array("read_only");
    for (const Guard& guard : place.guards) {
      if (!guard.writable) json.text(guard.path);
    }
    json.close();
  }
  json.close();
}

std::string rules_text(const Rules& rules) {
  const std::string rest = rules.action == Rules::Action::kill ? "the run ends"
                           : rules.action == Rules::Action::log
                               ? "is told, and allowed"
                               : "refused, " + errno_name(static_cast<int>(rules.error));
  return join({rules.name, ", ", digits(rules.calls.size()), " system calls, ",
               digits(rules.paths.size()), " paths and programs; the rest: ", rest});
}

// Lines of which there can be any number.
constexpr std::string_view kLists[] = {"setting", "not enforced", "argument", "variable", "note"};

bool is_list(const std::string& name) {
  return std::find(std::begin(kLists), std::end(kLists), name) != std::end(kLists);
}

}  // namespace

std::vector<Fact> Plan::facts() const {
  constexpr const char* kProfiles[] = {"isolated", "contained", "compat"};
  std::vector<Fact> facts;
  const auto line = [&](const std::string& name, const std::string& value) {
    facts.push_back({name, value});
  };
  for (const std::string& setting : settings) line("setting", setting);
  line("profile", kProfiles[static_cast<int>(profile)]);
  line("root", root_text(*this));
  line("namespaces",
       join({namespaces_text(namespaces), own_network ? " net" : "", own_clock ? " time" : ""}));
  if (host_processes) line("processes", "the host's are seen");
  constexpr const char* kWirings[] = {"none", "private, through ", "private, through ", "veth "};
  line("network", own_network ? kWirings[static_cast<int>(wiring)] + wire : "host");
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
  for (const Filter& own : filters) line("system-call filter", own.file);
  std::string all_rules;
  for (const Rules& one : rules) all_rules += (all_rules.empty() ? "" : "; and ") + rules_text(one);
  if (!rules.empty()) line("rules", all_rules);
  for (const std::string& lack : not_enforced) line("not enforced", lack);
  if (!nested) line("user namespaces inside", "none");
  if (overlay) line("overlay", overlay_text(*overlay));
  line("scratch", disk.empty() ? "in memory, at most " + memory : "in " + disk);
  for (const Place& place : places) {
    line("mount", place_text(place));
    for (const Guard& guard : place.guards) {
      if (!guard.writable) line("read-only in it", guard.path);
    }
  }
  for (const std::string& limit : limits) line("limit", limit);
  line("directory", cwd);
  line("program", program);
  for (const std::string& argument : argv) line("argument", argument);
  for (const std::string& variable : env) line("variable", variable);
  for (const std::string& note : notes) line("note", note);
  return facts;
}

std::string Plan::text() const {
  std::string out;
  for (const Fact& fact : facts()) out += fact.name + ": " + printable(fact.value) + "\n";
  return out;
}

// A name of several words is joined by "_", a list has an "s" at its end.
std::string Plan::json(bool whole) const {
  JsonText json;
  json.object();
  const std::vector<Fact> all = facts();
  for (const Fact& fact : all) {
    if (fact.name == "mount" || fact.name == "read-only in it" || is_list(fact.name)) continue;
    std::string name = fact.name;
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == ' ' || c == '-'; }, '_');
    json.text(name.c_str(), fact.value);
  }
  json.array("mounts");
  for (const Place& place : places) add_place(json, place);
  json.close();
  for (const std::string_view name : kLists) {
    if (!whole && name != "not enforced") continue;
    json.array((std::string(name) + "s").c_str());
    for (const Fact& fact : all) {
      if (fact.name == name) json.text(fact.value);
    }
    json.close();
  }
  return json.close().str();
}

}  // namespace rootlet::sandbox
