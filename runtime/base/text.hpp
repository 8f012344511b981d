// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace rootlet {

// Texts put together by one call: where every "a + b" is code of its own, a
// message of six parts costs the stub half a kilobyte.
std::string join(std::initializer_list<std::string_view> parts);

// A number in decimal digits.
std::string digits(unsigned long number);

}  // namespace rootlet
