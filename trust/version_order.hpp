// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace rootlet::trust {

// Less than, equal to or greater than 0, as `sort -V` orders them: runs of
// digits as numbers, the rest as text, "~" before everything.
int compare_versions(const std::string& left, const std::string& right);

}  // namespace rootlet::trust
