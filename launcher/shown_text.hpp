// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace rootlet {

// What came from an image is shown to a terminal: control characters, which
// could move the cursor or worse, appear as "?".
std::string shown_text(std::string text);

// The same where standard output is a terminal, else the text as it is.
std::string shown_name(const std::string& text);

}  // namespace rootlet
