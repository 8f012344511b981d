// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace rootlet {

// How much a run may take, and for how long. Where several sources name a
// limit the least counts (interface, section 2).
struct Limits {
  std::optional<std::uint64_t> memory, file_size;  // bytes
  std::optional<std::uint64_t> cpus;               // thousandths of a processor
  std::optional<std::uint64_t> pids;               // processes and threads at a time
  std::optional<std::uint64_t> timeout;            // milliseconds

  bool any() const { return memory || file_size || cpus || pids || timeout; }
};

// Lowers one limit, by the option's name, to `value` as users write it:
// "64m", "1.5", "100", "2m" (two minutes, for timeout).
Status lower_limit(Limits& limits, std::string_view name, const std::string& value);

// The names of the options that are limits.
std::span<const std::string_view> limit_names();
bool is_limit(std::string_view name);

// "memory=64m", as a user would write it; nothing where it is not limited.
std::optional<std::string> limit_text(const Limits& limits, std::string_view name);

}  // namespace rootlet
