// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "packaging/tree.hpp"

namespace rootlet::packaging {

// What to leave out of an image.
struct TrimRequest {
  std::vector<std::string> kinds;         // "docs", "caches", ..., "all", or a file with a list
  std::vector<std::string> keep_locales;  // languages beside C and en: "de", "pt_BR"

  bool any() const { return !kinds.empty(); }
};

// What was left out under one name.
struct Trimmed {
  std::string kind;
  std::uint64_t files = 0, bytes = 0;  // hard links once
};

// Checks the words: each is a kind, or a file that can be read.
Status check_trim(const TrimRequest& request);

// A list of files that no run touched is among the kinds: only a self-test can
// tell that nothing of it was needed after all.
bool trims_by_list(const TrimRequest& request);

// Takes it out of the tree. Copyright and licence files always stay, and so
// does what says which packages are there. Errors: an unknown kind, a list that
// cannot be read.
Result<std::vector<Trimmed>> trim(Tree& tree, const TrimRequest& request);

// "docs 12.3 MiB in 456 files, ..."
std::string trimmed_text(const std::vector<Trimmed>& trimmed);

}  // namespace rootlet::packaging
