// SPDX-License-Identifier: MIT
#include "runtime/image/overdue.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

namespace rootlet::image {
namespace {

// What one thread does. `question` grows with each and is 0 in between.
struct Doing {
  std::atomic<bool> taken{false}, waits{false};
  std::atomic<std::uint32_t> question{0};
  std::uint32_t seen = 0;  // of the clock alone, as the next
  unsigned ticks = 0;
};

std::array<Doing, 16> all;  // as many as there are threads at most (answer_loop.cpp)
thread_local Doing* mine = nullptr;
thread_local std::uint32_t count = 0;

Doing* take() {
  for (Doing& doing : all) {
    if (!doing.taken.exchange(true, std::memory_order_relaxed)) return &doing;
  }
  return nullptr;
}

}  // namespace

Busy::Busy() {
  if (mine == nullptr) mine = take();
  if (++count == 0) ++count;
  if (mine != nullptr) mine->question.store(count, std::memory_order_relaxed);
}

Busy::~Busy() {
  if (mine != nullptr) mine->question.store(0, std::memory_order_relaxed);
}

WaitsForFile::WaitsForFile() {
  if (mine != nullptr) mine->waits.store(true, std::memory_order_relaxed);
}

WaitsForFile::~WaitsForFile() {
  if (mine != nullptr) mine->waits.store(false, std::memory_order_relaxed);
}

void leave_overdue() {
  if (mine != nullptr) mine->taken.store(false, std::memory_order_relaxed);
  mine = nullptr;
}

bool is_somebody_busy() {
  return std::any_of(all.begin(), all.end(), [](const Doing& doing) {
    return doing.question.load(std::memory_order_relaxed) != 0;
  });
}

bool is_overdue() {
  const bool waits = std::any_of(all.begin(), all.end(), [](const Doing& doing) {
    return doing.waits.load(std::memory_order_relaxed);
  });
  bool overdue = false;
  for (Doing& doing : all) {
    const std::uint32_t question = doing.question.load(std::memory_order_relaxed);
    if (question == 0 || question != doing.seen) {
      doing.seen = question;
      doing.ticks = 0;
    } else if (!waits && ++doing.ticks >= patience()) {
      overdue = true;
    }
  }
  return overdue;
}

unsigned& patience() {
  static unsigned ticks = 15;
  return ticks;
}

}  // namespace rootlet::image
