// SPDX-License-Identifier: MIT
#include "packaging/findings.hpp"

#include <map>

namespace rootlet::packaging {

std::vector<std::string> findings_text(const Findings& findings, std::size_t most) {
  std::vector<std::string> lines;
  std::map<std::string, std::size_t> counts;
  for (const Finding& finding : findings) {
    if (++counts[finding.kind] > most) continue;
    lines.push_back(finding.subject + " " + finding.what +
                    (finding.add.empty() ? "" : "; " + finding.add));
  }
  for (const auto& [kind, count] : counts) {
    if (count <= most) continue;
    lines.push_back("and " + std::to_string(count - most) + " more of this kind (" + kind +
                    "); rootlet check --json lists them");
  }
  return lines;
}

}  // namespace rootlet::packaging
