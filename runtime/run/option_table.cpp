// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdlib>

#include "runtime/run/option_rows.hpp"

// Every option, once, in the order of --help; and what their setters share.
namespace rootlet {

Error invalid_value(std::string_view option, const std::string& value, std::string_view valid) {
  Error error =
      plain_error("read the options", option_text(option), "'" + value + "' is not valid");
  error.hint = "valid: " + option_text(option);
  if (!valid.empty()) error.hint += "=" + std::string(valid);
  return error;
}

Error unknown_word(std::string_view option, const std::string& value,
                   const std::vector<std::string_view>& known) {
  std::string valid;
  for (const std::string_view word : known) valid += (valid.empty() ? "" : "|") + std::string(word);
  Error error = invalid_value(option, value, valid);
  const std::string close = nearest(value, known);
  if (!close.empty())
    error.hint = "did you mean " + option_text(option) + "=" + close + "? " + error.hint;
  return error;
}

Status not_here(std::string_view option) {
  return plain_error("read the options", option_text(option), "this version does not have it yet");
}

Status add_path(std::vector<std::string>& to, std::string_view option, const std::string& value) {
  if (value.empty()) return invalid_value(option, value, "PATH");
  to.push_back(value);
  return Done{};
}

Status add_inside(std::vector<std::string>& to, std::string_view option, const std::string& value) {
  std::optional<std::string> path;
  TRY(set_inside(path, option, value));
  to.push_back(std::move(*path));
  return Done{};
}

bool is_size(std::string_view value) {
  const std::size_t digits = std::min(value.find_first_not_of("0123456789"), value.size());
  const std::string_view unit = value.substr(digits);
  // Longer numbers than memory has bytes would only overflow.
  return digits > 0 && digits < 19 &&
         (unit.empty() || (unit.size() == 1 && unit.find_first_of("kKmMgG%") == 0));
}

Status set_number(std::optional<int>& to, std::string_view option, const std::string& value) {
  char* end = nullptr;
  const long number = std::strtol(value.c_str(), &end, 10);
  if (value.empty() || *end != '\0' || number < 0 || number > 1000000) {
    return invalid_value(option, value, "NUMBER");
  }
  to = static_cast<int>(number);
  return Done{};
}

Status set_inside(std::optional<std::string>& to, std::string_view option,
                  const std::string& value) {
  if (value.empty() || value[0] != '/') return invalid_value(option, value, "/ABSOLUTE/PATH");
  to = value;
  return Done{};
}

const std::vector<OptionRow>& option_table() {
  static const std::vector<OptionRow> table = [] {
    std::vector<OptionRow> rows;
    for (const auto part : {options_of_places(), options_of_namespaces(), options_of_limits(),
                            options_of_images(), options_of_run()}) {
      rows.insert(rows.end(), part.begin(), part.end());
    }
    return rows;
  }();
  return table;
}

}  // namespace rootlet
