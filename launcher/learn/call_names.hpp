// SPDX-License-Identifier: MIT
#pragma once

#include <linux/seccomp.h>

#include <cstdint>
#include <string>
#include <vector>

namespace rootlet::learn {

// "openat", as libseccomp knows it; "syscall_470" for one that it does not.
const std::string& call_name(int number);

// An argument that decides what a call may do: (argument & mask) == value, of the low
// 32 bits, which is what the kernel's filter compares.
struct Argument {
  unsigned index = 0;
  std::uint32_t mask = 0xffffffff;
  std::uint32_t value = 0;
  std::string mask_name, value_name;
};

// Those of a call that was made; none where no argument decides, or where what
// decides lies behind a pointer.
std::vector<Argument> deciding_arguments(const seccomp_data& call);

// Of clone3(2), whose flags lie behind a pointer, as if it were clone(2).
std::vector<Argument> clone_arguments(std::uint64_t flags);

// Names for people. An unknown number has its digits.
std::string open_flags_name(std::uint32_t flags);
std::string clone_flags_name(std::uint64_t flags);
std::string family_name(std::uint32_t family);
std::string socket_type_name(std::uint32_t type);
std::string signal_name(std::uint32_t number);

}  // namespace rootlet::learn
