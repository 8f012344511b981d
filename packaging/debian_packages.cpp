// SPDX-License-Identifier: MIT
#include "packaging/debian_packages.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace rootlet::packaging {
namespace {

constexpr std::uint64_t kLargestText = 64 << 20;
constexpr std::string_view kInfo = "var/lib/dpkg/info";

std::string text_of(const Tree& root, std::string_view path) {
  const auto place = root.resolve(path);
  if (!place.ok() || !place.value().node->is_file()) return "";
  const Node& node = *place.value().node;
  const auto content = node.content.open();
  if (!content.ok() || node.size > kLargestText) return "";
  std::string text(node.size, '\0');
  return content.value().read_at(0, text.data(), text.size()).ok() ? text : "";
}

// The files of a package: info/NAME.list, or info/NAME:ARCH.list.
std::set<std::string> files_of(const Tree& root, const std::string& package) {
  std::set<std::string> files;
  const NodePtr info = root.find(kInfo);
  if (!info) return files;
  for (const auto& [name, node] : info->children) {
    if (name != package + ".list" &&
        !(name.starts_with(package + ":") && name.ends_with(".list"))) {
      continue;
    }
    std::istringstream lines(text_of(root, std::string(kInfo) + "/" + name));
    for (std::string line; std::getline(lines, line);) files.insert(line);
  }
  return files;
}

using Commands = std::map<std::string, std::string>;

void add_own_programs(const std::set<std::string>& files, Commands& commands) {
  static const std::regex on_path(R"((/usr)?(/local)?/(s?bin|games)/([^/]+))");
  std::smatch parts;
  for (const std::string& file : files) {
    if (std::regex_match(file, parts, on_path)) commands.emplace(parts[4], file);
  }
}

// /usr/bin/NAME -> /etc/alternatives/NAME -> a file of the package.
void add_alternatives(const Tree& root, const std::set<std::string>& files, Commands& commands) {
  for (const char* directory : {"usr/bin", "usr/sbin", "usr/games"}) {
    const NodePtr node = root.find(directory);
    if (!node) continue;
    for (const auto& [name, link] : node->children) {
      if (!link->is_symlink() || !link->target.starts_with("/etc/alternatives/")) continue;
      const NodePtr choice = root.find(link->target);
      if (choice && choice->is_symlink() && files.contains(choice->target)) {
        commands.emplace(name, "/" + std::string(directory) + "/" + name);
      }
    }
  }
}

void read_status(const Tree& root, const std::string& package, Policy& policy) {
  std::istringstream lines(text_of(root, "var/lib/dpkg/status"));
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("Package: ")) inside = line.substr(9) == package;
    if (inside && line.starts_with("Version: ")) policy.version = line.substr(9);
    if (inside && line.starts_with("Homepage: ")) policy.url = line.substr(10);
  }
}

void erase(Tree& root, std::string_view path) {
  const NodePtr parent = root.find(parent_of("/" + std::string(path)));
  if (parent) parent->children.erase(name_of(path));
}

void erase_files_below(Node& directory) {
  std::erase_if(directory.children, [](const auto& child) { return child.second->is_file(); });
  for (auto& [name, node] : directory.children) {
    if (node->is_directory()) erase_files_below(*node);
  }
}

// NAME:PASSWORD:DAY OF THE LAST CHANGE:... tells the day of the installation.
void set_back_shadow(Tree& root, std::int64_t time) {
  const NodePtr node = root.find("etc/shadow");
  if (!node || !node->is_file()) return;
  std::istringstream lines(text_of(root, "etc/shadow"));
  std::string text;
  const std::string day = std::to_string(time / 86400);
  static const std::regex form(R"(([^:]*:[^:]*:)\d+(:.*))");
  for (std::string line; std::getline(lines, line);) {
    text += std::regex_replace(line, form, "$01" + day + "$2") + "\n";
  }
  root.find("etc")->children["shadow"] = make_file(text, node->mode, node->mtime);
}

constexpr std::array kTraces = std::to_array<std::string_view>({
    "var/lib/apt",
    "var/cache/apt",
    "var/cache/debconf",
    "var/cache/ldconfig",
    "var/cache/man",
    "var/lib/dbus/machine-id",
    "var/lib/systemd/random-seed",
    "var/lib/systemd/catalog/database",
    "var/lib/dpkg/lock",
    "var/lib/dpkg/lock-frontend",
    "var/lib/dpkg/status-old",
    "var/lib/dpkg/diversions-old",
    "var/lib/dpkg/statoverride-old",
    "var/lib/dpkg/available-old",
    "var/lib/dpkg/triggers/Lock",
    "etc/passwd-",
    "etc/group-",
    "etc/shadow-",
    "etc/gshadow-",
    "etc/subuid-",
    "etc/subgid-",
    "etc/.pwd.lock",
    "etc/hostname",
    "etc/resolv.conf",
});

}  // namespace

bool is_installed(const Tree& root, const std::string& package) {
  return !files_of(root, package).empty();
}

Policy describe_packages(const Tree& root, const std::vector<std::string>& packages) {
  Policy policy;
  Commands commands;
  for (const std::string& package : packages) {
    const std::set<std::string> files = files_of(root, package);
    Commands own;
    add_own_programs(files, own);
    add_alternatives(root, files, own);
    const auto named_alike = own.find(package);
    if (policy.entrypoint.empty() && named_alike != own.end()) {
      policy.entrypoint = {named_alike->second};
    }
    commands.merge(own);
  }
  policy.commands.assign(commands.begin(), commands.end());
  if (!packages.empty()) {
    policy.name = packages.front();
    read_status(root, packages.front(), policy);
  }
  return policy;
}

void remove_traces(Tree& root, std::int64_t time) {
  for (const std::string_view path : kTraces) erase(root, path);
  for (const char* path : {"var/log", "var/backups"}) {
    const NodePtr node = root.find(path);
    if (node && node->is_directory()) erase_files_below(*node);
  }
  const NodePtr machine = root.find("etc/machine-id");
  if (machine) root.find("etc")->children["machine-id"] = make_file("", 0444, machine->mtime);
  set_back_shadow(root, time);
  const auto own = [](Node& node) {
    node.uid = node.gid = 0;
    node.mode &= 01777;
  };
  own(root.root());
  root.each([&](const std::string&, const NodePtr& node) { own(*node); });
}

}  // namespace rootlet::packaging
