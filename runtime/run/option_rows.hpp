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

// The same for a word that is not one of those known; the nearest comes first.
Error unknown_word(std::string_view option, const std::string& value,
                   const std::vector<std::string_view>& known);

// Of the interface, and not built yet: refused, never ignored.
Status not_here(std::string_view option);

Status add_path(std::vector<std::string>& to, std::string_view option, const std::string& value);
// The same for an absolute path inside.
Status add_inside(std::vector<std::string>& to, std::string_view option, const std::string& value);

// Digits, and perhaps k, m, g or %.
bool is_size(std::string_view value);

// A flag of Options.
template <bool Options::*Flag>
Status raise(Options& options, const std::string&) {
  options.*Flag = true;
  return Done{};
}

// 0 to 1000000.
Status set_number(std::optional<int>& to, std::string_view option, const std::string& value);
// An absolute path inside.
Status set_inside(std::optional<std::string>& to, std::string_view option,
                  const std::string& value);

// One of a few words.
template <typename T, std::size_t N>
Status set_word(std::optional<T>& to, std::string_view option, const std::string& value,
                const std::array<std::pair<std::string_view, T>, N>& words) {
  std::vector<std::string_view> known;
  for (const auto& [word, meaning] : words) {
    if (word == value) {
      to = meaning;
      return Done{};
    }
    known.push_back(word);
  }
  return unknown_word(option, value, known);
}

}  // namespace rootlet
