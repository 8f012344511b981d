// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <unordered_map>

#include "packaging/tree.hpp"

namespace rootlet::packaging {

// The digests of the files of a tree, taken while they are read.
using FileDigests = std::unordered_map<const Node*, std::string>;

// "sha256:HEX" of all that a tool can see of a tree: names, kinds, modes,
// owners, times, links, attributes and bytes; not how it is packed. The file at
// kDigestPath, which is to hold it, is left out.
std::string digest_of(const Tree& tree, const FileDigests& files);

// The same of a tree whose files have yet to be read.
Result<std::string> read_digest_of(const Tree& tree);

// As long as every digest: the file can be put into the tree before.
inline constexpr std::size_t kDigestSize = 7 + 64;

}  // namespace rootlet::packaging
