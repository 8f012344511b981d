// SPDX-License-Identifier: MIT
#pragma once

#include <unordered_set>

#include "packaging/findings.hpp"
#include "packaging/tree.hpp"
#include "runtime/policy/policy.hpp"

namespace rootlet::packaging {

// What is known of a tree when its needs are judged.
struct Needs {
  const Tree& tree;
  std::uint16_t machine;
  const Policy& policy;
  const std::unordered_set<std::string>& used;   // file names that the named programs load
  const std::unordered_set<std::string>& names;  // all file names
};

// What well-known libraries load or read while they run and no ELF header
// tells: modules of NSS, converters of iconv, plugins of Qt, loaders of GTK,
// terminal descriptions, modules of interpreters; and the locale and the
// certificates that the tool will ask for.
void add_known_needs(const Needs& needs, Findings& findings);

}  // namespace rootlet::packaging
