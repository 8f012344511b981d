// SPDX-License-Identifier: MIT
#include "runtime/base/error.hpp"

#include <unistd.h>
#include <cstring>

namespace rootlet {

Error last_error(std::string_view action, std::string_view subject, std::string_view hint) {
  const int code = errno;
  return Error{code, std::string(action), std::string(subject), std::string(hint), {}};
}

Error plain_error(std::string_view action, std::string_view subject, std::string_view reason,
                  std::string_view hint) {
  return Error{0, std::string(action), std::string(subject), std::string(hint),
               std::string(reason)};
}

std::string errno_name(int code) {
  // strerrorname_np: glibc 2.32+.
  if (const char* name = ::strerrorname_np(code)) return name;
  return "errno " + std::to_string(code);
}

std::string Error::explanation() const {
  if (!reason.empty() || code == 0) return reason;
  // strerrordesc_np is not translated, so it loads no locale.
  const char* description = ::strerrordesc_np(code);
  return description != nullptr ? description : "unknown error";
}

std::string Error::message() const {
  std::string text = action;
  if (!subject.empty()) text += ": " + subject;
  if (const std::string why = explanation(); !why.empty()) text += ": " + why;
  if (code != 0) text += " (" + errno_name(code) + ")";
  return text;
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      out += c;
      continue;
    }
    constexpr char kDigits[] = "0123456789abcdef";
    out += "\\x";
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

void print_error(const Error& error) {
  std::string text = "rootlet: " + printable(error.message()) + "\n";
  if (!error.hint.empty()) text += "hint: " + printable(error.hint) + "\n";
  // Nothing can be done about a closed stderr; the exit status still tells.
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return;
}

}  // namespace rootlet
