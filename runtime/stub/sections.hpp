// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/base/result.hpp"

namespace rootlet {

// The text in one of the AppImage sections of our own file (or of the file
// TARGET_APPIMAGE names), up to its first NUL.
Result<std::string> section_text(const std::string& section, const std::string& target_appimage);

}  // namespace rootlet
