// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace rootlet {

// Another spelling of one of our options: Apptainer's, and the short ones.
struct Alias {
  std::string_view spelled;
  std::string_view name;                       // ours
  std::optional<std::string_view> value = {};  // what a flag stands for
  // A flag there that takes a word here ("--net"): the next word is its value
  // only where it is one of these.
  std::string_view words = {};
};
std::span<const Alias> aliases();
const Alias* find_alias(std::string_view spelled);

// An option of Apptainer that is not ours, and what to say instead.
struct Foreign {
  std::string_view spelled;
  std::string_view advice;
};
std::span<const Foreign> foreign_options();

// One that asks for what is so anyway.
bool is_granted(std::string_view spelled);

}  // namespace rootlet
