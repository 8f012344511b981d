// SPDX-License-Identifier: MIT
#include "launcher/hash_progress.hpp"

#include <time.h>
#include <unistd.h>

#include <cstdio>

namespace rootlet {
namespace {

long seconds() {
  struct timespec now {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

}  // namespace

HashProgress::HashProgress(std::string what) : what_(std::move(what)), started_(seconds()) {}

HashProgress::~HashProgress() {
  if (shown_ <= 100) std::fputs("\r\033[K", stderr);
}

trust::HashProgress HashProgress::callback() {
  if (::isatty(STDERR_FILENO) != 1) return {};
  return [this](std::uint64_t done, std::uint64_t total) { show(done, total); };
}

void HashProgress::show(std::uint64_t done, std::uint64_t total) {
  const auto percent = static_cast<unsigned>(total == 0 ? 100 : done * 100 / total);
  if (percent == shown_ || seconds() - started_ < 2) return;
  shown_ = percent;
  std::fprintf(stderr, "\r%s %3u %%", what_.c_str(), percent);
}

}  // namespace rootlet
