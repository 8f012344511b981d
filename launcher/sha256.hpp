// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/base/result.hpp"

namespace rootlet {

// The SHA-256 of a whole open file, in hexadecimal.
Result<std::string> sha256_of(int fd, const std::string& name);

}  // namespace rootlet
