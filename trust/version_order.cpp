// SPDX-License-Identifier: MIT
#include "trust/version_order.hpp"

namespace rootlet::trust {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The order of a character between numbers; the end of a text comes before
// all of them but "~". Debian's own (deb-version(7)).
int order(const std::string& text, std::size_t at) {
  if (at >= text.size() || is_digit(text[at])) return 0;
  const auto c = static_cast<unsigned char>(text[at]);
  if (c == '~') return -1;
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return letter ? c : c + 256;
}

std::string take_number(const std::string& text, std::size_t& at) {
  while (at < text.size() && text[at] == '0') ++at;
  std::string digits;
  while (at < text.size() && is_digit(text[at])) digits += text[at++];
  return digits;
}

}  // namespace

int compare_versions(const std::string& left, const std::string& right) {
  std::size_t l = 0, r = 0;
  while (l < left.size() || r < right.size()) {
    while ((l < left.size() && !is_digit(left[l])) || (r < right.size() && !is_digit(right[r]))) {
      const int difference = order(left, l) - order(right, r);
      if (difference != 0) return difference;
      ++l;
      ++r;
    }
    const std::string a = take_number(left, l), b = take_number(right, r);
    if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
    if (a != b) return a < b ? -1 : 1;
  }
  return 0;
}

}  // namespace rootlet::trust
