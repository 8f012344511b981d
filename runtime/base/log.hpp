// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <type_traits>

namespace rootlet {

// What --verbose tells, on stderr: one line each, written at once.
class Log {
 public:
  explicit Log(bool verbose = false) : verbose_(verbose) {}

  // Shown only with --verbose. The argument is built only then where it is a
  // callable, so that a quiet run pays nothing.
  template <typename Text>
  void say(Text&& text) const {
    if (!verbose_) return;
    if constexpr (std::is_invocable_v<Text>) {
      line(text());
    } else {
      line(text);
    }
  }

  // Always shown: what the user must know about this run.
  static void note(const std::string& text) { line(text); }

 private:
  static void line(const std::string& text);

  bool verbose_;
};

}  // namespace rootlet
