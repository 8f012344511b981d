// SPDX-License-Identifier: MIT
#include "runtime/os/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

namespace rootlet::os {
namespace {

// The kernel wants the address of the 32 bits.
static_assert(sizeof(FutexWord) == 4 && FutexWord::is_always_lock_free);

void futex(FutexWord& word, int operation, std::uint32_t value) {
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), operation, value, nullptr, nullptr,
            0);
}

}  // namespace

void wait_while(FutexWord& word, std::uint32_t seen) { futex(word, FUTEX_WAIT_PRIVATE, seen); }
void wake_one(FutexWord& word) { futex(word, FUTEX_WAKE_PRIVATE, 1); }
void wake_all(FutexWord& word) { futex(word, FUTEX_WAKE_PRIVATE, INT_MAX); }

void Mutex::lock_contended() {
  while (word_.exchange(kContended, std::memory_order_acquire) != 0) wait_while(word_, kContended);
}

}  // namespace rootlet::os
