// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace rootlet {

// Runs one of the host's programs for desktops (update-mime-database ...), silent,
// from the usual directories. False: it is not here, or failed.
bool run_desktop_tool(const std::vector<std::string>& words);

}  // namespace rootlet
