// SPDX-License-Identifier: MIT
#include "packaging/library_search.hpp"

#include <elf.h>
#include <fnmatch.h>

#include <algorithm>
#include <sstream>

namespace rootlet::packaging {
namespace {

constexpr int kMaximumIncludes = 8;
constexpr std::uint64_t kMaximumConfiguration = 1 << 20;

std::string triplet(std::uint16_t machine) {
  return machine == EM_AARCH64 ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
}

std::string read_text(const Tree& tree, const std::string& path) {
  auto place = tree.resolve(path);
  if (!place.ok() || !place.value().node->is_file()) return {};
  const Node& node = *place.value().node;
  if (node.size > kMaximumConfiguration) return {};
  auto content = node.content.open();
  std::string text(node.size, '\0');
  if (!content.ok() || !content.value().read_at(0, text.data(), text.size()).ok()) return {};
  return text;
}

void replace(std::string& text, std::string_view from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    text.replace(at, from.size(), to);
    at += to.size();
  }
}

std::vector<std::string> split(const std::string& text, const char* separators) {
  std::vector<std::string> parts;
  for (std::size_t at = text.find_first_not_of(separators); at != std::string::npos;) {
    const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(separators, end);
  }
  return parts;
}

}  // namespace

LibrarySearch::LibrarySearch(const Tree& tree, std::uint16_t machine,
                             const std::string& library_path)
    : tree_(tree), machine_(machine), environment_(split(library_path, ":;")) {
  read_configuration("/etc/ld.so.conf", 0);
  // musl's loader has a file of its own instead.
  const std::string musl = machine == EM_AARCH64 ? "aarch64" : "x86_64";
  for (const std::string& directory :
       split(read_text(tree, "/etc/ld-musl-" + musl + ".path"), ":\n")) {
    system_.push_back(directory);
  }
  const std::string multiarch = triplet(machine);
  for (const std::string& directory :
       {"/lib/" + multiarch, "/usr/lib/" + multiarch, std::string("/lib64"),
        std::string("/usr/lib64"), std::string("/lib"), std::string("/usr/lib"),
        std::string("/usr/local/lib")}) {
    system_.push_back(directory);
  }
}

// Lines are directories or "include PATTERN"; # begins a comment. ldconfig(8)
void LibrarySearch::read_configuration(const std::string& path, int depth) {
  if (depth > kMaximumIncludes) return;
  std::istringstream lines(read_text(tree_, path));
  for (std::string line; std::getline(lines, line);) {
    line.resize(std::min(line.find('#'), line.size()));
    const std::vector<std::string> words = split(line, " \t\r");
    if (words.empty()) continue;
    if (words[0] != "include" || words.size() < 2) {
      system_.push_back(words[0]);
      continue;
    }
    std::string pattern = words[1];
    if (!pattern.starts_with('/')) pattern = parent_of(path) + "/" + pattern;
    auto directory = tree_.resolve(parent_of(pattern));
    if (!directory.ok()) continue;
    const Tree::Place place = directory.value();
    for (const auto& [name, node] : place.node->children) {
      if (::fnmatch(name_of(pattern).c_str(), name.c_str(), FNM_PERIOD) != 0) continue;
      read_configuration(place.path + "/" + name, depth + 1);
    }
  }
}

// The loader passes over libraries of another machine.
bool LibrarySearch::fits(const Tree::Place& place) const {
  if (!place.node->is_file()) return false;
  auto elf = read_elf(*place.node, place.path);
  return elf.ok() && elf.value().has_value() && elf.value()->machine == machine_;
}

std::vector<std::string> LibrarySearch::expand(const std::string& directory,
                                               const std::string& origin) const {
  std::vector<std::string> out;
  // $LIB is chosen when glibc is built: Debian's is lib/TRIPLET, others' lib64.
  for (const std::string& lib :
       {"lib/" + triplet(machine_), std::string("lib64"), std::string("lib")}) {
    std::string text = directory;
    for (const char* form : {"${ORIGIN}", "$ORIGIN"}) replace(text, form, origin);
    for (const char* form : {"${LIB}", "$LIB"}) replace(text, form, lib);
    for (const char* form : {"${PLATFORM}", "$PLATFORM"}) {
      replace(text, form, machine_file_name(machine_));
    }
    if (std::find(out.begin(), out.end(), text) == out.end()) out.push_back(text);
  }
  return out;
}

Result<Tree::Place> LibrarySearch::find(const std::string& name, const std::string& origin,
                                        const std::vector<std::string>& rpath,
                                        const std::vector<std::string>& runpath) const {
  std::vector<std::string> directories;
  if (name.find('/') != std::string::npos) {
    for (const std::string& path : expand(name, origin)) {
      auto place = tree_.resolve(path);
      if (place.ok() && fits(place.value())) return place;
    }
    return Error{ENOENT, "check the image", name, {}, {}};
  }
  const auto add = [&](const std::vector<std::string>& list) {
    for (const std::string& directory : list) {
      for (std::string& path : expand(directory, origin)) directories.push_back(std::move(path));
    }
  };
  // ld.so(8): DT_RPATH counts only where there is no DT_RUNPATH.
  if (runpath.empty()) add(rpath);
  add(environment_);
  add(runpath);
  add(system_);
  for (const std::string& directory : directories) {
    auto place = tree_.resolve(directory + "/" + name);
    if (place.ok() && fits(place.value())) return place;
  }
  return Error{ENOENT, "check the image", name, {}, {}};
}

}  // namespace rootlet::packaging
