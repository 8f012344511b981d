// SPDX-License-Identifier: MIT
#include <unistd.h>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>

// The C++ runtime that is left when nothing throws. Linked into the stub
// alone, where every file is compiled with -fno-exceptions: libstdc++ would
// throw only on the ways that end here, and its throwing brings the unwinder,
// the demangler and the translated messages with it (423 KB with what these
// pull in of libc). Ending the program is what an uncaught exception does too.
namespace {

[[noreturn]] void end_program(const char* first, const char* second) {
  for (const char* text : {"rootlet: ", first, second, "\n"}) {
    if (::write(STDERR_FILENO, text, std::strlen(text)) < 0) break;  // stderr is closed
  }
  std::abort();
}

[[noreturn]] void out_of_memory() {
  constexpr char kText[] = "rootlet: allocate memory: Cannot allocate memory (ENOMEM)\n";
  if (::write(STDERR_FILENO, kText, sizeof kText - 1) < 0) ::_exit(125);
  ::_exit(125);
}

}  // namespace

void* operator new(std::size_t size) {
  void* memory = std::malloc(size != 0 ? size : 1);
  if (memory == nullptr) out_of_memory();
  return memory;
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

// All of libstdc++'s functexcept.o, so that it is never wanted.
namespace std {

#define TRIM_THROW(name) \
  void name(const char* what) { end_program("bug: " #name ": ", what); }
TRIM_THROW(__throw_logic_error)
TRIM_THROW(__throw_domain_error)
TRIM_THROW(__throw_invalid_argument)
TRIM_THROW(__throw_length_error)
TRIM_THROW(__throw_out_of_range)
TRIM_THROW(__throw_runtime_error)
TRIM_THROW(__throw_range_error)
TRIM_THROW(__throw_overflow_error)
TRIM_THROW(__throw_underflow_error)
#undef TRIM_THROW
void __throw_out_of_range_fmt(const char* format, ...) {
  end_program("bug: __throw_out_of_range: ", format);
}
void __throw_bad_exception() { end_program("bug: ", "bad exception"); }
void __throw_bad_cast() { end_program("bug: ", "bad cast"); }
void __throw_bad_typeid() { end_program("bug: ", "bad typeid"); }
void __throw_bad_function_call() { end_program("bug: ", "an empty function was called"); }
void __throw_bad_alloc() { out_of_memory(); }
void __throw_bad_array_new_length() { out_of_memory(); }

}  // namespace std

extern "C" {

// Static locals. Byte 0: made (the compiler's own look at it is all that most
// calls cost); byte 1: someone is making it. Threads meet here at most at a first
// time, so who comes second looks again and again.
int __cxa_guard_acquire(std::int64_t* guard) {
  char* const bytes = reinterpret_cast<char*>(guard);
  while (__atomic_exchange_n(bytes + 1, 1, __ATOMIC_ACQUIRE) != 0) {
    if (__atomic_load_n(bytes, __ATOMIC_ACQUIRE) != 0) return 0;
  }
  if (__atomic_load_n(bytes, __ATOMIC_ACQUIRE) == 0) return 1;
  __atomic_store_n(bytes + 1, 0, __ATOMIC_RELEASE);
  return 0;
}
void __cxa_guard_release(std::int64_t* guard) {
  char* const bytes = reinterpret_cast<char*>(guard);
  __atomic_store_n(bytes, 1, __ATOMIC_RELEASE);
  __atomic_store_n(bytes + 1, 0, __ATOMIC_RELEASE);
}
void __cxa_guard_abort(std::int64_t* guard) { *guard = 0; }

[[noreturn]] void __cxa_throw_bad_array_new_length() { out_of_memory(); }
[[noreturn]] void __cxa_pure_virtual() { end_program("bug: ", "a pure virtual function"); }

}  // extern "C"
