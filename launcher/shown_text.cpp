// SPDX-License-Identifier: MIT
#include "launcher/shown_text.hpp"

#include <unistd.h>

namespace rootlet {

std::string shown_text(std::string text) {
  for (char& letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte < 0x20 || byte == 0x7f) letter = '?';
  }
  return text;
}

std::string shown_name(const std::string& text) {
  static const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  return terminal ? shown_text(text) : text;
}

}  // namespace rootlet
