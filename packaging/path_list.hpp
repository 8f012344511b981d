// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.hpp"

namespace rootlet::packaging {

// A file that lists paths inside an image, one a line, as `rootlet learn`
// writes them: of a start-up in the order of their first use, or those that no
// run touched. Empty lines and lines that begin with # tell nothing; a leading
// slash does not matter. Errors: it cannot be read, or a line holds a NUL.
Result<std::vector<std::string>> read_path_list(const std::string& file);

}  // namespace rootlet::packaging
