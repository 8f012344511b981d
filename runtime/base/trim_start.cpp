// SPDX-License-Identifier: MIT
#include <features.h>

// The start of a static program without questions to the processor. Linked into the
// programs that start runs: the stub and `rootlet`.
//
// Before main(), glibc asks the processor for its features and for the size of each
// of its caches: some fifty CPUID instructions. Each of them leaves a virtual machine,
// 2 to 7 us, together more than a tenth of what a start takes. What the answers are good
// for is the choice of memcpy() and its like, of which those that every x86-64 has
// serve as well: what is long here is copied by the kernel or by a decoder.
//
// glibc has all that in one member, libc-start.o, which stays out where everything that
// it defines is here. The order of the steps is that of glibc 2.36 (csu/libc-start.c);
// with another version or processor this file is empty and glibc's own start is linked.
// Not done, because a stub needs none of it: GLIBC_TUNABLES are not read, and nothing is opened in
// place of closed standard streams (main() does that).
#if defined(__x86_64__) && __GLIBC__ == 2 && __GLIBC_MINOR__ == 36

#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" {

using Main = int(int, char**, char**);

// Inside of glibc; each tells its file.
extern char** __environ;
extern void* __libc_stack_end;            // elf/dl-support.c
extern std::size_t _dl_minsigstacksize;   // elf/dl-support.c: AT_MINSIGSTKSZ (Linux 5.14), or 0
extern const std::uintptr_t* _dl_random;  // elf/dl-support.c: AT_RANDOM, 16 bytes
void _dl_aux_init(ElfW(auxv_t) *);        // elf/dl-support.c
void __libc_setup_tls();                  // csu/libc-tls.c
void __libc_early_init(bool);             // elf/libc_early_init.c
void __libc_init_first(int, char**, char**);
int __cxa_atexit(void (*)(void*), void*, void*);

// Of the linker and of crti.o.
extern const ElfW(Rela) __rela_iplt_start[], __rela_iplt_end[];
extern Main* const __preinit_array_start[];
extern Main* const __preinit_array_end[];
extern Main* const __init_array_start[];
extern Main* const __init_array_end[];
extern void (*const __fini_array_start[])();
extern void (*const __fini_array_end[])();
void _fini();

// By which memcpy() and memset() choose their ways; bytes. Of 2.36's own values for
// a processor that does not tell its caches (sysdeps/x86/cacheinfo.h).
long __x86_data_cache_size = 32 << 10;
long __x86_data_cache_size_half = 16 << 10;
long __x86_shared_cache_size = 1 << 20;
long __x86_shared_cache_size_half = 512 << 10;
long __x86_shared_non_temporal_threshold = 768 << 10;
long __x86_rep_movsb_threshold = 2048;
long __x86_rep_movsb_stop_threshold = 768 << 10;
long __x86_rep_stosb_threshold = 2048;
int __x86_string_control = 0;

// elf/dl-origin.c: where the program lies, for a dlopen() of what lies beside it: -1, not
// known. glibc's reads a link of /proc for it.
const char* _dl_get_origin() { return reinterpret_cast<const char*>(-1); }

}  // extern "C"

namespace {

// Which memcpy() and its like are called.
void choose_functions() {
  for (const ElfW(Rela)* entry = __rela_iplt_start; entry < __rela_iplt_end; ++entry) {
    const auto choose = reinterpret_cast<std::uintptr_t (*)()>(entry->r_addend);
    *reinterpret_cast<std::uintptr_t*>(entry->r_offset) = choose();
  }
}

// What the compiler's checks of the stack and setjmp() read (sysdeps/x86_64/nptl/tls.h).
// The first byte of the canary is zero, so that no string holds it.
void set_secrets() {
  const std::uintptr_t canary = _dl_random[0] & ~std::uintptr_t{0xff}, pointers = _dl_random[1];
  __asm__ volatile("mov %0, %%fs:0x28\n\tmov %1, %%fs:0x30" ::"r"(canary), "r"(pointers));
}

void call_each(Main* const* first, Main* const* end, int count, char** words, char** env) {
  for (; first < end; ++first) (*first)(count, words, env);
}

void destroy(void*) {
  for (std::ptrdiff_t i = __fini_array_end - __fini_array_start; i-- > 0;) __fini_array_start[i]();
  _fini();
}

}  // namespace

// As _start calls it (sysdeps/x86_64/start.S). Not to be checked by the canary
// that it sets.
extern "C" [[noreturn, gnu::optimize("no-stack-protector")]] int __libc_start_main(
    Main* main, int count, char** words, void (*)(), void (*)(), void (*)(), void* stack_end) {
  char** const env = words + count + 1;
  __environ = env;
  __libc_stack_end = stack_end;
  char** end = env;
  while (*end != nullptr) ++end;
  _dl_aux_init(reinterpret_cast<ElfW(auxv_t)*>(end + 1));
  // As sysdeps/x86/cpu-features.c has it where the kernel does not tell; sysconf(3) asserts it.
  constexpr std::size_t kSignalStack = 2048;
  if (_dl_minsigstacksize == 0) _dl_minsigstacksize = kSignalStack;
  choose_functions();
  __libc_setup_tls();
  set_secrets();
  __libc_early_init(true);
  __libc_init_first(count, words, env);
  __cxa_atexit(destroy, nullptr, nullptr);
  call_each(__preinit_array_start, __preinit_array_end, count, words, env);
  // Not _init(): in the stub it is empty, and in `rootlet` libcrypto asks the processor
  // there, as it does again when it is first used (crypto/init.c, OpenSSL 3.0).
  call_each(__init_array_start, __init_array_end, count, words, env);
  std::exit(main(count, words, env));
}

#endif
