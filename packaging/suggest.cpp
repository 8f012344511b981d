// SPDX-License-Identifier: MIT
#include "packaging/policy_file.hpp"
#include "runtime/run/options.hpp"

namespace rootlet::packaging {

std::string suggest(const std::string& word, const std::vector<std::string>& known) {
  return nearest(word, {known.begin(), known.end()});
}

}  // namespace rootlet::packaging
