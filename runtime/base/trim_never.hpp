// SPDX-License-Identifier: MIT
#pragma once

// TRIM_NEVER(name): defines a library's function `name` as one that ends the
// program. For functions that the linker wants and no run of the stub calls:
// the archive member that holds the real one then stays out of the stub. Were
// the member wanted for something else too, the link would fail with a double
// definition, so a trim cannot be half there.
//
// In assembly, because the names belong to libraries and have types that are
// of no interest here.
#define TRIM_NEVER(name) __asm__(".globl " #name "\n.set " #name ", rootlet_trimmed\n")

// Once per file that uses the macro.
#define TRIM_TARGET                                                                 \
  [[gnu::used, noreturn]] static void rootlet_trimmed() __asm__("rootlet_trimmed"); \
  static void rootlet_trimmed() { __builtin_trap(); }
