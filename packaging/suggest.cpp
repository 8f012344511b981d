// SPDX-License-Identifier: MIT
#include <algorithm>
#include <numeric>

#include "packaging/policy_file.hpp"

namespace rootlet::packaging {
namespace {

// Levenshtein's distance, one row at a time.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string suggest(const std::string& word, const std::vector<std::string>& known) {
  std::string best;
  // A third of the letters may be wrong, at least two.
  std::size_t nearest = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const std::size_t far = distance(word, candidate);
    if (far >= nearest) continue;
    nearest = far;
    best = candidate;
  }
  return best;
}

}  // namespace rootlet::packaging
