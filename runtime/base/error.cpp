// SPDX-License-Identifier: MIT
#include "runtime/base/error.hpp"

#include <cstring>
#include <unistd.h>

namespace rootlet {

std::string errno_name(int code) {
  // strerrorname_np: glibc 2.32+.
  if (const char* name = ::strerrorname_np(code)) return name;
  return "errno " + std::to_string(code);
}

std::string Error::message() const {
  std::string text = action;
  if (!subject.empty()) text += ": " + subject;
  // strerrordesc_np is not translated, so it loads no locale.
  if (!reason.empty()) {
    text += ": " + reason;
  } else if (code != 0) {
    const char* description = ::strerrordesc_np(code);
    text += ": ";
    text += description != nullptr ? description : "unknown error";
  }
  if (code != 0) text += " (" + errno_name(code) + ")";
  return text;
}

void print_error(const Error& error) {
  std::string text = "rootlet: " + error.message() + "\n";
  if (!error.hint.empty()) text += "hint: " + error.hint + "\n";
  // Nothing can be done about a closed stderr; the exit status still tells.
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return;
}

}  // namespace rootlet
