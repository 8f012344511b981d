// SPDX-License-Identifier: MIT
#include "launcher/learn/run_files.hpp"

#include <sys/stat.h>

#include <set>

#include "runtime/run/paths.hpp"

namespace rootlet::learn {
namespace {

// Where a path of the run lies on the host; "" where it is none of the host's.
std::string on_the_host(const Setting& setting, const std::string& path) {
  const Setting::Shown* deepest = nullptr;
  for (const Setting::Shown& bind : setting.binds) {
    const bool deeper = deepest == nullptr || bind.target.size() >= deepest->target.size();
    if (deeper && is_below(path, bind.target)) deepest = &bind;
  }
  return deepest == nullptr ? "" : deepest->source + path.substr(deepest->target.size());
}

bool is_regular(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

RunFiles files_of(const Recording& recording) {
  std::set<std::string> read, written;
  for (const PathUse& use : recording.paths) {
    const bool wrote = use.access == Access::write || use.access == Access::create;
    if (use.where != Where::bind || (!wrote && use.access != Access::read)) continue;
    if (use.tally.failed() >= use.tally.count) continue;
    const std::string path = on_the_host(recording.setting, use.path);
    if (!path.empty() && is_regular(path)) (wrote ? written : read).insert(path);
  }
  for (const std::string& path : written) read.erase(path);
  return {{read.begin(), read.end()}, {written.begin(), written.end()}};
}

}  // namespace rootlet::learn
