// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"

namespace rootlet {

// The part of TOML that a file of settings needs: comments, [section], and
// KEY = VALUE where the value is "text", 'text', a whole number, true, false,
// or an array of such. What else TOML has is an error that names the line.
struct TomlEntry {
  std::string section, key;
  std::vector<std::string> values;
  bool array = false;
  bool flag = false;  // true or false, as text in `values`
  int line = 0;
};
Result<std::vector<TomlEntry>> read_toml(std::string_view text, const std::string& file);

// "FILE:LINE: REASON".
Error toml_error(const std::string& file, int line, std::string_view reason,
                 std::string_view hint = {});

}  // namespace rootlet
