// SPDX-License-Identifier: MIT
#include "runtime/sandbox/spokesman.hpp"

#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace rootlet::sandbox {

int Spokesman::listen_and_speak(void* self) {
  auto* spokesman = static_cast<Spokesman*>(self);
  // The kernel clears the word of set_tid_address(2) and wakes who waits for it
  // when its process gives up this memory, by execve(2) or by its end.
  int* word = &spokesman->waiting_;
  const timespec moment{0, 1000000};
  while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != 0) {
    ::syscall(SYS_futex, word, FUTEX_WAIT, 1, &moment, nullptr, 0);
    spokesman->speak_(spokesman->subject_, false);
  }
  spokesman->speak_(spokesman->subject_, true);
  ::_exit(0);
}

Status Spokesman::start(Speech speak, void* subject) {
  constexpr std::size_t kStack = 256u << 10;
  speak_ = speak;
  subject_ = subject;
  void* stack = ::mmap(nullptr, kStack, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return last_error("start the tool");
  // Until the program runs, which makes its process dumpable again; the
  // spokesman, which is under less than the program, never is.
  ::prctl(PR_SET_DUMPABLE, 0);
  // Init's child, so that the tool does not find one that it never made.
  const int pid = ::clone(listen_and_speak, static_cast<char*>(stack) + kStack,
                          CLONE_VM | CLONE_FILES | CLONE_PARENT, this);
  if (pid < 0) return last_error("start the tool");
  ::syscall(SYS_set_tid_address, &waiting_);
  return Done{};
}

}  // namespace rootlet::sandbox
