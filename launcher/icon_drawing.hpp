// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.hpp"

namespace rootlet {

// A picture that the examiner has decoded, within its limits.
struct IconDrawing {
  std::string format;  // "png" or "svg"
  int width = 0, height = 0;
  std::vector<std::string> pngs;  // one of each size that was asked for
};

// `sizes`: pixels a side. Errors: no PNG or SVG, too large, takes too long.
Result<IconDrawing> draw_icon(const std::string& bytes, const std::string& name,
                              const std::vector<int>& sizes);

}  // namespace rootlet
