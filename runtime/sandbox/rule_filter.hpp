// SPDX-License-Identifier: MIT
#pragma once

#include <linux/filter.h>

#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/rules/rules.hpp"

namespace rootlet::sandbox {

// What a filter does beside the letter of its rules.
struct RuleFilterUse {
  bool tells = false;       // what is refused goes to a listener first, which answers it
  bool paths_too = false;   // and so does every call that names a path: the listener lets it go on
  bool truncation = false;  // Landlock here cannot: refuse to shorten files by name
};

// The rules as a program for the kernel: what all of them allow passes, and so does
// what any program needs to start and end. Arguments are compared where they are
// scalars, in their low 32 bits, as the kernel takes them.
Result<std::vector<sock_filter>> compile_filter(const std::vector<Rules>& all,
                                                const RuleFilterUse& use);

// The same question for one call that was made.
bool allows(const Rules& rules, std::uint32_t number, const std::uint64_t (&arguments)[6]);

// A call that reaches a file by its name. The directory that the name starts
// from is the argument before it, or with `at` < 0 the caller's own.
struct PathCall {
  std::int8_t at = -1;           // the argument with the directory's descriptor
  std::int8_t name = 0;          // the one with the address of the name
  std::uint8_t access = 0;       // Rules::Access bits; 0: it depends on the flags
  std::int8_t flags = -1;        // the argument with open flags
  std::int8_t second_at = -1;    // of link and rename, where there is a second name
  std::int8_t second_name = -1;  // always created
};
const PathCall* path_call(std::uint32_t number);

}  // namespace rootlet::sandbox
