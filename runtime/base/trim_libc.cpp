// SPDX-License-Identifier: MIT
#include "runtime/base/trim_never.hpp"

#include <unistd.h>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

// What of the C library the stub does without. Linked into the stub alone.
//
// The stub never opens a FILE, never sets a locale and never loads a shared
// library, but a static glibc brings all three into every program, through
// diagnostics that nobody calls. The few functions that open these doors are
// defined here. They hold each other: one door left open lets in all that is
// behind the others (stdio calls the locale, which reads its files with stdio
// and loads converters with dlopen), so each of them alone keeps 365 KB out
// where no other size is given. Measured on x86-64 with glibc 2.36, 2026-11,
// by linking without it; cmake/check_stub.py sees to it that our own code does
// not call what is trimmed.

// malloc_stats() and malloc_info() print; nobody calls them. `stdout` and
// `stdin` are left undefined here: code that uses them pulls in the real
// stdio, and the link fails.
FILE* stderr = nullptr;
TRIM_TARGET
TRIM_NEVER(fprintf);
TRIM_NEVER(_IO_fputs);  // with fwrite 25 KB: the unwinder, for cancelled threads
TRIM_NEVER(fwrite);

// tmpnam() and tempnam(), in one member with what mkdtemp() needs.
TRIM_NEVER(sprintf);

// libfuse's fuse_req_getgroups(), fuse_lowlevel_help() and _version(), which
// no answer of ours calls (fortified, as Debian compiles it).
TRIM_NEVER(__sprintf_chk);
TRIM_NEVER(__printf_chk);
TRIM_NEVER(puts);

// The search path for shared libraries, made at every start of a static
// program in case it calls dlopen(); the stub does not, and dl-open is not in
// it. 20 KB.
extern "C" void _dl_init_paths(const char*, const char*, const char*, const char*) {}
TRIM_NEVER(__strerror_r);  // of the messages of a failed dlopen()

// Sets up the calling thread's character tables, for isspace() and its like:
// nothing here asks them, and without strtol() they are not linked, so that the
// real function would end every start. Code that asks them pulls in the member
// that holds it, and the link fails.
extern "C" void __ctype_init() {}

extern "C" {

// Texts without a catalogue of translations.
char* strerror(int code) noexcept {
  const char* text = ::strerrordesc_np(code);
  return const_cast<char*>(text != nullptr ? text : "unknown error");
}

// libfuse's way to complain from the image server, whose stderr is /dev/null.
void perror(const char*) {}

// glibc's prints with vfprintf, in the language of the caller. 398 KB.
[[noreturn]] void __assert_fail(const char* expression, const char*, unsigned,
                                const char*) noexcept {
  constexpr char kBegin[] = "rootlet: a library's assertion failed: ";
  if (::write(STDERR_FILENO, kBegin, sizeof kBegin - 1) < 0 ||
      ::write(STDERR_FILENO, expression, std::strlen(expression)) < 0 ||
      ::write(STDERR_FILENO, "\n", 1) < 0) {
    std::abort();
  }
  std::abort();
}

}  // extern "C"

// Numbers as in the C locale. glibc's functions ask the locale what a digit
// is, and the locale brings the character tables (58 KB) and the converters.
namespace {

struct Number {
  unsigned long magnitude = 0;
  bool negative = false;
  bool too_large = false;
};

unsigned digit_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'z') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'Z') return static_cast<unsigned>(c - 'A') + 10;
  return UINT_MAX;
}

Number read_number(const char* text, char** end, unsigned base) {
  Number number;
  const char* at = text;
  while (*at == ' ' || (*at >= '\t' && *at <= '\r')) ++at;
  if (*at == '-' || *at == '+') number.negative = *at++ == '-';
  const bool hex = at[0] == '0' && (at[1] | 0x20) == 'x' && digit_value(at[2]) < 16;
  if ((base == 0 || base == 16) && hex) {
    base = 16;
    at += 2;
  } else if (base == 0) {
    base = *at == '0' ? 8 : 10;
  }
  const char* first = at;
  for (unsigned digit; (digit = digit_value(*at)) < base; ++at) {
    number.too_large |= __builtin_mul_overflow(number.magnitude, base, &number.magnitude) ||
                        __builtin_add_overflow(number.magnitude, digit, &number.magnitude);
  }
  if (end != nullptr) *end = const_cast<char*>(at == first ? text : at);
  return number;
}

}  // namespace

extern "C" {

long strtol(const char* text, char** end, int base) noexcept {
  const Number number = read_number(text, end, static_cast<unsigned>(base));
  const unsigned long limit = static_cast<unsigned long>(LONG_MAX) + (number.negative ? 1 : 0);
  if (number.too_large || number.magnitude > limit) {
    errno = ERANGE;
    return number.negative ? LONG_MIN : LONG_MAX;
  }
  return static_cast<long>(number.negative ? 0 - number.magnitude : number.magnitude);
}

unsigned long strtoul(const char* text, char** end, int base) noexcept {
  const Number number = read_number(text, end, static_cast<unsigned>(base));
  if (number.too_large) {
    errno = ERANGE;
    return ULONG_MAX;
  }
  return number.negative ? 0 - number.magnitude : number.magnitude;
}

static_assert(sizeof(long) == sizeof(long long));
long long strtoll(const char* text, char** end, int base) noexcept {
  return ::strtol(text, end, base);
}
unsigned long long strtoull(const char* text, char** end, int base) noexcept {
  return ::strtoul(text, end, base);
}

}  // extern "C"
