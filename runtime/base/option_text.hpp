// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace rootlet {

// The set of defaults that a run starts from (interface, section 2).
enum class Profile {
  isolated,
  contained,
  compat
};

// How this program spells its options: "--rootlet-" on a packaged file (the
// default), "--" in the rootlet command. Messages use it.
void set_option_prefix(std::string_view prefix);
std::string option_text(std::string_view name);  // "--rootlet-net"

}  // namespace rootlet
