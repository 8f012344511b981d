// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace rootlet {

// The Exec of a desktop entry (Desktop Entry Specification 1.5, "The Exec key").

// The value for a program and its arguments: `program` in the place of the first
// word of `value`, all quoted anew. Field codes stay where the specification
// allows them. `why` tells what was left out: the whole rest of a line that makes
// no sense, or single words.
std::string exec_with_program(const std::string& value, const std::string& program,
                              std::string& why);

// A value of type string, escaped and unescaped ("\s \n \t \r \\").
std::string escaped_value(const std::string& text);
std::string unescaped_value(const std::string& value);

}  // namespace rootlet
