// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "trust/content_hash.hpp"

namespace rootlet {

// One line on a terminal's stderr, from the first second on, that goes when
// the work is done. Elsewhere nothing.
class HashProgress {
 public:
  explicit HashProgress(std::string what);
  HashProgress(const HashProgress&) = delete;
  ~HashProgress();

  trust::HashProgress callback();  // keep this while it is used

 private:
  void show(std::uint64_t done, std::uint64_t total);

  std::string what_;
  long started_ = 0;  // seconds of the monotonic clock
  unsigned shown_ = 101;
};

}  // namespace rootlet
