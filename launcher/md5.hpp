// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace rootlet {

// As names of thumbnails and of registered AppImages have it: 32 lower-case
// digits.
std::string md5_of(const std::string& text);

}  // namespace rootlet
