// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

namespace rootlet::os {

// Waiting for a word of memory to change (futex(2)), and the lock made of it.
// libstdc++'s and glibc's own bring cancellation, and with it the unwinder,
// into a static program.
using FutexWord = std::atomic<std::uint32_t>;

// Sleeps while `word` holds `seen`; also wakes for nothing, and for signals.
void wait_while(FutexWord& word, std::uint32_t seen);
void wake_one(FutexWord& word);
void wake_all(FutexWord& word);

// For std::lock_guard.
class Mutex {
 public:
  void lock() {
    std::uint32_t free = 0;
    if (!word_.compare_exchange_strong(free, kHeld, std::memory_order_acquire)) lock_contended();
  }
  void unlock() {
    if (word_.exchange(0, std::memory_order_release) == kContended) wake_one(word_);
  }

 private:
  static constexpr std::uint32_t kHeld = 1;
  static constexpr std::uint32_t kContended = 2;  // held, and someone may be asleep

  void lock_contended();

  FutexWord word_{0};
};

}  // namespace rootlet::os
