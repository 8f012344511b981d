// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "launcher/jar_images.hpp"

namespace rootlet {

// What a JVM makes of a jar as a whole.
struct JarShape {
  std::vector<std::string> troubles;  // it cannot be started
  std::vector<std::string> remarks;   // what is odd, and harmless
};

Result<JarShape> judge_shape(const ZipArchive& archive, const std::vector<JarImage>& images);

}  // namespace rootlet
