// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/base/result.hpp"

namespace rootlet {

// Of a whole open file, in hexadecimal. SHA-1 is what zsync's control files hold, and
// tells damage only.
Result<std::string> sha256_of(int fd, const std::string& name);
Result<std::string> sha1_of(int fd, const std::string& name);

}  // namespace rootlet
