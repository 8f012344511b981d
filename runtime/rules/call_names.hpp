// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace rootlet {

// The names of this machine's system calls, up to file_setattr (Linux 6.17).
std::optional<std::uint32_t> call_number(std::string_view name);
std::string_view call_name(std::uint32_t number);  // empty: none is known

// Between kLowEnd and kCommon nothing has a number; from kCommon on (Linux 5.1)
// they are the same on all machines.
inline constexpr std::uint32_t kCommonCalls = 424;
inline constexpr std::uint32_t kCallsEnd = 470;

}  // namespace rootlet
