// SPDX-License-Identifier: MIT
#include "launcher/rules/fold.hpp"

#include <algorithm>
#include <map>
#include <span>

#include "runtime/run/paths.hpp"

namespace rootlet::rules {
namespace {

constexpr Access kLooks[] = {Access::list, Access::metadata, Access::read};
constexpr Access kChanges[] = {Access::create, Access::remove, Access::write};

// "" for the one at the top.
std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? "" : path.substr(0, slash);
}

std::set<Access> only(const std::set<Access>& all, std::span<const Access> wanted) {
  std::set<Access> some;
  for (const Access access : wanted) {
    if (all.contains(access)) some.insert(access);
  }
  return some;
}

// The directories that stand for their content: the outermost of those with many entries.
std::vector<std::string> crowded(const std::vector<Path>& paths) {
  std::map<std::string, std::set<std::string>> entries;
  for (const Path& path : paths) {
    for (std::string at = path.path, up = parent_of(at); !up.empty(); at = up, up = parent_of(at)) {
      entries[up].insert(at);
    }
  }
  std::vector<std::string> found;
  for (const auto& [directory, inside] : entries) {
    if (inside.size() >= kFoldFrom) found.push_back(directory);
  }
  return found;
}

// `directory` for the paths in it; and for itself, with its own accesses.
void fold_into(std::vector<Path>& paths, const std::string& directory) {
  Path folded;
  std::vector<Path> rest;
  for (Path& path : paths) {
    if (!is_below(path.path, directory)) {
      rest.push_back(std::move(path));
      continue;
    }
    folded.where = path.where;
    folded.access.insert(path.access.begin(), path.access.end());
    folded.evidence.add(path.evidence);
  }
  if (!folded.access.empty()) {
    folded.path = directory;
    folded.below = true;
    rest.push_back(std::move(folded));
  }
  paths = std::move(rest);
}

std::vector<Path> folded(std::vector<Path> paths, const std::vector<std::string>& asked) {
  for (const std::string& directory : asked) fold_into(paths, directory);
  for (const std::string& directory : crowded(paths)) fold_into(paths, directory);
  return paths;
}

}  // namespace

void fold(Rules& rules, const std::vector<std::string>& asked) {
  std::vector<Path> all;
  for (const std::span<const Access> kind :
       {std::span<const Access>(kLooks), std::span<const Access>(kChanges)}) {
    std::vector<Path> some;
    for (const Path& path : rules.paths) {
      Path part = path;
      part.access = only(path.access, kind);
      if (!part.access.empty()) some.push_back(std::move(part));
    }
    for (Path& path : folded(std::move(some), asked)) all.push_back(std::move(path));
  }
  rules.paths = std::move(all);
  rules.normalise();
}

}  // namespace rootlet::rules
