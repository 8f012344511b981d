// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace rootlet::records {

// Paths, and what is to be written in their place.
using Places = std::vector<std::pair<std::string, std::string>>;

// Replaces paths in texts, where they stand as a whole or begin a longer one.
class PathNames {
 public:
  // The longest path counts; "" and "/" count for nothing.
  explicit PathNames(Places names);
  std::string of(std::string text) const;

 private:
  Places names_;
};

}  // namespace rootlet::records
