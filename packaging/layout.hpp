// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "packaging/check.hpp"

namespace rootlet::packaging {

// Which files lie where in an image (docs/packaging.md, "Layout").
struct Layout {
  std::vector<NodePtr> first;        // not compressed, each in blocks of its own
  std::vector<NodePtr> next;         // compressed, behind them, in this order
  std::vector<std::string> unknown;  // paths of the order that the tree lacks
};

// The policy and AppRun, then what the checked programs need at start; `order`
// lists the paths of a start-up in the order of their first use, and may be empty.
Layout lay_out(const Tree& tree, const Check& check, const std::vector<std::string>& order);

}  // namespace rootlet::packaging
