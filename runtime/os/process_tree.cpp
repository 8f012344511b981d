// SPDX-License-Identifier: MIT
#include "runtime/os/process_tree.hpp"

#include <dirent.h>

#include <algorithm>
#include <cstdlib>

#include "runtime/os/fd.hpp"

namespace rootlet::os {

std::optional<ProcessFacts> process_facts(pid_t pid) {
  auto read = read_file(AT_FDCWD, "/proc/" + std::to_string(pid) + "/stat", 4096);
  if (!read.ok()) return {};
  const std::string text = std::move(read).value();
  // The name may hold blanks and brackets; nothing behind it does.
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close + 2 >= text.size())
    return {};
  ProcessFacts facts;
  facts.pid = pid;
  facts.name = text.substr(open + 1, close - open - 1);
  facts.state = text[close + 2];
  const char* at = text.c_str() + close + 3;
  for (int field = 4; field <= 22; ++field) {
    char* end = nullptr;
    const std::uint64_t value = std::strtoull(at, &end, 10);
    at = end;
    if (field == 4) facts.parent = static_cast<pid_t>(value);
    if (field >= 14 && field <= 17) facts.cpu += value;  // utime, stime, cutime, cstime
    if (field == 20) facts.threads = value;
    if (field == 22) facts.started = value;
  }
  return facts;
}

std::vector<ProcessFacts> all_processes() {
  std::vector<ProcessFacts> found;
  DIR* listing = ::opendir("/proc");
  if (listing == nullptr) return found;
  while (const dirent* entry = ::readdir(listing)) {
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    if (auto facts = process_facts(std::atoi(entry->d_name))) found.push_back(std::move(*facts));
  }
  ::closedir(listing);
  return found;
}

std::vector<ProcessFacts> processes_below(pid_t top) {
  std::vector<ProcessFacts> rest = all_processes();
  std::vector<ProcessFacts> found;
  std::vector<pid_t> parents = {top};
  for (std::size_t i = 0; i < parents.size(); ++i) {
    const auto others = std::partition(
        rest.begin(), rest.end(), [&](const ProcessFacts& f) { return f.parent != parents[i]; });
    for (auto child = others; child != rest.end(); ++child) {
      parents.push_back(child->pid);
      found.push_back(std::move(*child));
    }
    rest.erase(others, rest.end());
  }
  return found;
}

std::uint64_t proportional_memory(pid_t pid) {
  auto read = read_file(AT_FDCWD, "/proc/" + std::to_string(pid) + "/smaps_rollup", 4096);
  if (!read.ok()) return 0;
  const std::size_t at = read.value().find("\nPss:");
  if (at == std::string::npos) return 0;
  return std::strtoull(read.value().c_str() + at + 5, nullptr, 10) * 1024;
}

}  // namespace rootlet::os
