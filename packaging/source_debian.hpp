// SPDX-License-Identifier: MIT
#pragma once

#include "packaging/source.hpp"

namespace rootlet::packaging {

// PACKAGE[=VERSION][,...] with dependencies, from the host's apt sources or
// those of the request. A package may also be a file, with a slash in its name.
Result<Source> read_debian(const std::string& packages, const SourceRequest& request);

}  // namespace rootlet::packaging
