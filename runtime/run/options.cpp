// SPDX-License-Identifier: MIT
#include "runtime/run/options.hpp"

#include <algorithm>
#include <cstdlib>

namespace rootlet {
namespace {

constexpr std::string_view kRead = "read the options";

Error bad_value(std::string_view option, const std::string& value, std::string_view valid) {
  Error error = plain_error(kRead, option_text(option), "'" + value + "' is not valid");
  error.hint = "valid: " + std::string(valid);
  return error;
}

const OptionRow* find_row(std::string_view name) {
  for (const OptionRow& row : option_table()) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

Error unknown(std::string_view name) {
  std::vector<std::string_view> names;
  for (const OptionRow& row : option_table()) {
    if (!row.help.empty()) names.push_back(row.name);  // the others are refused anyway
  }
  const std::string close = nearest(name, names);
  Error error = plain_error(kRead, option_text(name), "no such option");
  error.hint = close.empty() ? option_text("help") + " lists them"
                             : "did you mean " + option_text(close) + "?";
  return error;
}

std::string upper(std::string_view name) {
  std::string out;
  for (const char c : name) {
    out += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return out;
}

}  // namespace

bool Options::was_given(std::string_view name) const {
  return std::find(given.begin(), given.end(), name) != given.end();
}

std::vector<std::string> split_escaped(std::string_view text, char separator) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      parts.back() += text[++i];
    } else if (text[i] == separator) {
      parts.emplace_back();
    } else {
      parts.back() += text[i];
    }
  }
  return parts;
}

std::string nearest(std::string_view name, const std::vector<std::string_view>& known) {
  std::string best;
  if (name.empty()) return best;
  std::size_t best_distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const std::string_view candidate : known) {
    // Levenshtein distance, one row at a time.
    std::vector<std::size_t> row(candidate.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= name.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i;
      for (std::size_t j = 1; j < row.size(); ++j) {
        const std::size_t change = diagonal + (name[i - 1] == candidate[j - 1] ? 0 : 1);
        diagonal = row[j];
        row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

Status set_option(Options& options, std::string_view name, const std::optional<std::string>& value,
                  Origin origin) {
  const OptionRow* row = find_row(name);
  if (row == nullptr) {
    if (origin == Origin::command_line) return unknown(name);
    return plain_error("read the policy", name, "no such option",
                       "the image was made by a newer rootlet; take a newer stub for it");
  }
  if (origin == Origin::policy && row->not_from_policy) {
    return plain_error("read the policy", name, "an image may not set this option");
  }
  if (origin == Origin::environment && row->not_from_environment) {
    return plain_error("read the environment", "ROOTLET_" + upper(name),
                       "this option is not read from the environment",
                       "give it on the command line: " + option_text(name));
  }
  if (row->value.empty() && value && *value != "" && *value != "true") {
    return bad_value(name, *value, "no value: it is a flag");
  }
  if (!row->value.empty() && !value) {
    Error error = plain_error(kRead, option_text(name), "it needs a value");
    error.hint = option_text(name) + "=" + std::string(row->value);
    return error;
  }
  if (value && value->find('\0') != std::string::npos) return bad_value(name, "", row->value);
  TRY(row->set(options, value.value_or("")));
  options.given.emplace_back(name);
  return Done{};
}

Result<CommandLine> parse_packaged(const std::vector<std::string>& arguments, bool raw) {
  constexpr std::string_view kOurs = "--rootlet-";
  constexpr std::string_view kAppImage = "--appimage-";
  CommandLine line;
  std::size_t at = 0;
  for (; !raw && at < arguments.size() && arguments[at].starts_with(kOurs); ++at) {
    const std::string_view text = std::string_view(arguments[at]).substr(kOurs.size());
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    std::optional<std::string> value;
    if (equals != std::string_view::npos) value = std::string(text.substr(equals + 1));
    if (find_row(name) == nullptr) return unknown(name);
    TRY(set_option(line.options, name, value, Origin::command_line));
  }
  if (!raw && at < arguments.size() && arguments[at].starts_with(kAppImage)) {
    line.appimage = arguments[at].substr(kAppImage.size());
    ++at;
  }
  line.arguments.assign(arguments.begin() + static_cast<std::ptrdiff_t>(at), arguments.end());
  return line;
}

Status parse_environment(Options& options, char** environment) {
  for (char** entry = environment; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!text.starts_with("ROOTLET_")) continue;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    for (const OptionRow& row : option_table()) {
      if (text.substr(8, equals - 8) != upper(row.name)) continue;
      // Set, but empty, is the usual way of a script to say nothing.
      const std::string value(text.substr(equals + 1));
      if (value.empty() || options.was_given(row.name)) continue;
      const bool flag = row.value.empty();
      if (flag && (value == "0" || value == "false")) continue;
      TRY(set_option(options, row.name, flag ? std::string() : value, Origin::environment));
    }
  }
  return Done{};
}

}  // namespace rootlet
