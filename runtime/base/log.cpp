// SPDX-License-Identifier: MIT
#include "runtime/base/log.hpp"

#include <unistd.h>

#include "runtime/base/error.hpp"

namespace rootlet {

void Log::line(const std::string& text) {
  const std::string whole = "rootlet: " + printable(text) + "\n";
  if (::write(STDERR_FILENO, whole.data(), whole.size()) < 0) return;  // stderr is closed
}

}  // namespace rootlet
