// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace rootlet::packaging {

// A PNG of 256x256 pixels for a tool that brings no icon: a symmetric pattern
// whose shape and colour come from the name, so that two tools look different
// and the same tool always the same.
std::string make_icon(const std::string& name);

}  // namespace rootlet::packaging
