// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <span>
#include <string>
#include <utility>

#include "runtime/run/options.hpp"

// The rows of the table of options, by subject, and what their setters share.
// Private to options_of_*.cpp and option_table.cpp.
namespace rootlet {

std::span<const OptionRow> options_of_places();      // what of the host is shown, and where
std::span<const OptionRow> options_of_namespaces();  // network, ids, names, views
std::span<const OptionRow> options_of_limits();      // how much, how long
std::span<const OptionRow> options_of_images();      // how the image, and other images, are reached
std::span<const OptionRow> options_of_run();         // program, environment, what is told

// "--rootlet-OPTION: 'VALUE' is not valid", with the valid form as the hint.
Error invalid_value(std::string_view option, const std::string& value, std::string_view valid);

// Of the interface, and not built yet: refused, never ignored.
Status not_here(std::string_view option);

Status add_path(std::vector<std::string>& to, std::string_view option, const std::string& value);
// 0 to 1000000.
Status set_number(std::optional<int>& to, std::string_view option, const std::string& value);
// An absolute path inside.
Status set_inside(std::optional<std::string>& to, std::string_view option,
                  const std::string& value);

// One of a few words.
template <typename T, std::size_t N>
Status set_word(std::optional<T>& to, std::string_view option, const std::string& value,
                const std::array<std::pair<std::string_view, T>, N>& words) {
  std::string valid;
  for (const auto& [word, meaning] : words) {
    if (word == value) {
      to = meaning;
      return Done{};
    }
    valid += (valid.empty() ? "" : "|") + std::string(word);
  }
  return invalid_value(option, value, valid);
}

}  // namespace rootlet
