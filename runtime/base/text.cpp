// SPDX-License-Identifier: MIT
#include "runtime/base/text.hpp"

namespace rootlet {

std::string join(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

std::string digits(unsigned long number) { return std::to_string(number); }

}  // namespace rootlet
