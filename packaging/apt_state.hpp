// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "packaging/source.hpp"

namespace rootlet::packaging {

// Writes apt's configuration and sources into DIRECTORY, from the host's and
// from the request, and returns the suite that they are for.
Result<std::string> write_apt_state(const std::string& directory, const SourceRequest& request);

}  // namespace rootlet::packaging
