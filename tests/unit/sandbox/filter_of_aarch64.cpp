// SPDX-License-Identifier: MIT
// The filter with the numbers of the generic table, which are aarch64's. On a
// machine of that kind it is the filter itself. Nothing here may include
// <sys/syscall.h>: its numbers are the build machine's.
#include <asm-generic/unistd.h>

// A name of its own: the compiler joins inline functions of the same name.
#define sandbox sandbox_of_aarch64
#include "runtime/sandbox/filter_program.hpp"

std::vector<sock_filter> filter_of_aarch64() {
  return rootlet::sandbox_of_aarch64::compile_rules();
}
