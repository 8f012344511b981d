// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/run/source.hpp"

namespace rootlet {

// open_source() of a file that is open already, so that what somebody judged is
// what is run, whatever has its name by now. In source.cpp.
Result<Source> open_source(const std::string& text, os::Fd opened);

// The part of an open file that such a text names, not looked into.
Result<FileRange> locate_part(int fd, const std::string& text);

}  // namespace rootlet
