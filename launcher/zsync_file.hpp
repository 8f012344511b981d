// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/base/result.hpp"

namespace rootlet {

// Makes FILE.zsync beside FILE with Debian's zsyncmake, whole or not at all:
// by it a client fetches only what it lacks. The file itself is expected in the
// same directory of the server.
Status make_zsync_file(const std::string& file);

}  // namespace rootlet
