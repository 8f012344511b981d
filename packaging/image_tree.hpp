// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "packaging/tree.hpp"
#include "runtime/policy/policy.hpp"

namespace rootlet::packaging {

// A packed image, opened and read into a tree: for those who compare with it,
// check it, or build from it. Files are decoded when their content is read.
struct PackedImage {
  std::string file;  // absolute
  Tree tree;
  Policy policy;              // empty where the image has none
  std::string digest;         // "sha256:..." of its content, as `build` wrote it; empty: it did not
  std::uint64_t bytes = 0;    // of the squashfs
  std::uint16_t machine = 0;  // of the stub in front; 0: none
};

// TEXT is what `rootlet run` takes: an AppImage, a squashfs, FILE@OFFSET,
// JAR!/NAME. Errors: no image, one that is damaged (the path inside is named).
Result<PackedImage> read_image_tree(const std::string& text);

}  // namespace rootlet::packaging
