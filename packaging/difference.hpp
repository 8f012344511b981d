// SPDX-License-Identifier: MIT
#pragma once

#include "packaging/image_tree.hpp"

namespace rootlet::packaging {

// What a tree had in common with its base, hard links once.
struct Difference {
  std::uint64_t shared_files = 0, shared_bytes = 0;
  std::uint64_t own_files = 0, own_bytes = 0;
  std::uint64_t removed = 0;  // names of the base that the tree lacks
  // Files that are in the base but for their time of modification, and so
  // had to be packed again.
  std::uint64_t retimed_files = 0, retimed_bytes = 0;
};

// Takes out of the tree what the base has just so, and puts whiteouts (device
// nodes 0:0, as overlayfs wants them) where only the base has something: laid
// over the base it is again what it was. What makes an AppImage of it (the
// files at the top, /.rootlet) stays. Errors: a file that cannot be read; a
// device 0:0 or an attribute of overlayfs's own in either of them.
Result<Difference> subtract_base(Tree& tree, const Tree& base);

// What a tool sees of a tree that lies over its base, as overlayfs shows it.
Tree laid_over(const Tree& base, const Tree& above);

// Reads the image to lie on, and refuses one that cannot be it: it lies on
// another itself, does not tell its digest, or is for another machine.
Result<PackedImage> read_base(const std::string& path, std::uint16_t machine);

// subtract_base(); what it gave is told in words, and to whom it may concern in
// the image's build.json.
Result<std::string> lay_on_base(Tree& tree, const PackedImage& base);

}  // namespace rootlet::packaging
