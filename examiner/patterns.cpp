// SPDX-License-Identifier: MIT
#include "examiner/patterns.hpp"

#include "runtime/run/environment.hpp"

namespace rootlet {

bool is_wanted(const std::vector<std::string>& patterns, const std::string& path) {
  if (patterns.empty()) return true;
  for (const std::string& pattern : patterns) {
    for (std::size_t end = path.size(); end != path.npos && end > 0;
         end = path.rfind('/', end - 1)) {
      if (glob_matches(pattern, std::string_view(path).substr(0, end))) return true;
    }
  }
  return false;
}

}  // namespace rootlet
