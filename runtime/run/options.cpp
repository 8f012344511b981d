// SPDX-License-Identifier: MIT
#include "runtime/run/option_rows.hpp"

#include <algorithm>
#include <cstdlib>

namespace rootlet {
namespace {

constexpr std::string_view kRead = "read the options";

// Who said it, in the words of a message.
std::string_view action_of(Origin origin) {
  switch (origin) {
    case Origin::command_line: return kRead;
    case Origin::environment: return "read the environment";
    case Origin::user_file:
    case Origin::site_file: return "read the configuration";
    case Origin::policy: return "read the policy";
  }
  return kRead;
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

std::string spelled(std::string_view name, Origin origin) {
  if (origin == Origin::command_line) return option_text(name);
  return origin == Origin::environment ? "ROOTLET_" + upper(name) : std::string(name);
}

// Whether this source may say it at all.
Status may_say(const OptionRow& row, Origin origin) {
  if (origin == Origin::policy && row.not_from_policy) {
    return plain_error(action_of(origin), row.name, "an image may not set this option");
  }
  const bool outside =
      origin == Origin::environment || origin == Origin::user_file || origin == Origin::site_file;
  if (outside && row.not_from_environment) {
    return plain_error(action_of(origin), spelled(row.name, origin),
                       origin == Origin::environment
                           ? "this option is not read from the environment"
                           : "this option is not read from a file",
                       "give it on the command line: " + option_text(row.name));
  }
  return Done{};
}

Status check_form(const OptionRow& row, const std::optional<std::string>& value) {
  if (row.is_flag() && value && *value != "" && *value != "true") {
    Error error = invalid_value(row.name, *value, "");
    error.hint = "it takes no value: " + option_text(row.name);
    return error;
  }
  if (row.needs_value() && !value) {
    return plain_error(kRead, option_text(row.name), "it needs a value", usage_of(row));
  }
  if (value && value->find('\0') != std::string::npos)
    return invalid_value(row.name, "", row.value);
  return Done{};
}

}  // namespace

const OptionRow* find_option(std::string_view name) {
  for (const OptionRow& row : option_table()) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

std::string usage_of(const OptionRow& row) {
  const std::string text = option_text(row.name);
  if (row.is_flag()) return text;
  if (row.needs_value()) return text + "=" + std::string(row.value);
  return text + "[=" + std::string(row.value.substr(1));
}

bool Options::was_given(std::string_view name) const {
  return std::any_of(given.begin(), given.end(),
                     [&](const Setting& setting) { return setting.name == name; });
}

void Options::add_bind(Bind bind) {
  given.push_back({"bind", bind.source, Origin::command_line});
  binds.push_back(std::move(bind));
}

std::vector<std::string> split_unescaped(std::string_view text, char separator) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == separator) {
      parts.emplace_back();
      continue;
    }
    if (text[i] == '\\' && i + 1 < text.size()) parts.back() += text[i++];
    parts.back() += text[i];
  }
  return parts;
}

std::vector<std::string> split_escaped(std::string_view text, char separator) {
  std::vector<std::string> parts = split_unescaped(text, separator);
  for (std::string& part : parts) {
    std::string plain;
    for (std::size_t i = 0; i < part.size(); ++i) {
      if (part[i] == '\\' && i + 1 < part.size()) ++i;
      plain += part[i];
    }
    part = std::move(plain);
  }
  return parts;
}

std::string nearest(std::string_view name, const std::vector<std::string_view>& known) {
  std::string best;
  if (name.empty()) return best;
  std::size_t best_distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const std::string_view candidate : known) {
    // How many letters to change, add, leave out, or swap with the next.
    std::vector<std::size_t> row(candidate.size() + 1), above, above_that;
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= name.size(); ++i) {
      above_that = std::move(above);
      above = row;
      row[0] = i;
      for (std::size_t j = 1; j < row.size(); ++j) {
        const bool same = name[i - 1] == candidate[j - 1];
        row[j] = std::min({row[j - 1] + 1, above[j] + 1, above[j - 1] + (same ? 0 : 1)});
        const bool swapped =
            i > 1 && j > 1 && name[i - 1] == candidate[j - 2] && name[i - 2] == candidate[j - 1];
        if (swapped) row[j] = std::min(row[j], above_that[j - 2] + 1);
      }
    }
    const bool as_long = row.back() == best_distance && candidate.size() == name.size();
    if (row.back() < best_distance || (as_long && !best.empty() && best.size() != name.size())) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

Status set_option(Options& options, std::string_view name, const std::optional<std::string>& value,
                  Origin origin) {
  const OptionRow* row = find_option(name);
  if (row == nullptr && origin == Origin::policy) {
    return plain_error("read the policy", name, "no such option",
                       "the image was made by a newer rootlet; take a newer stub for it");
  }
  if (row == nullptr) return unknown(name);
  TRY(may_say(*row, origin));
  auto set = check_form(*row, value);
  if (set.ok()) set = row->set(options, value.value_or(""));
  if (!set.ok() && origin != Origin::command_line) {
    Error error = std::move(set).error();
    error.action = action_of(origin);
    if (error.subject == option_text(name)) error.subject = spelled(name, origin);
    return error;
  }
  TRY(std::move(set));
  // A mount of a host path is a bind by another name.
  const bool bind = name == "mount" && value->starts_with("type=");
  options.given.push_back({bind ? "bind" : std::string(name), value.value_or(""), origin});
  return Done{};
}

Result<CommandLine> parse_packaged(const std::vector<std::string>& arguments, bool raw,
                                   Options base) {
  constexpr std::string_view kOurs = "--rootlet-";
  constexpr std::string_view kAppImage = "--appimage-";
  CommandLine line{std::move(base), {}, {}};
  std::size_t at = 0;
  for (; !raw && at < arguments.size() && arguments[at].starts_with(kOurs); ++at) {
    const std::string_view text = std::string_view(arguments[at]).substr(kOurs.size());
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    std::optional<std::string> value;
    if (equals != std::string_view::npos) value = std::string(text.substr(equals + 1));
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
      std::string value(text.substr(equals + 1));
      if (value.empty()) continue;
      if (!row.needs_value() && (value == "0" || value == "false")) continue;
      if (!row.needs_value() && (value == "1" || value == "true")) value.clear();
      TRY(set_option(options, row.name, value, Origin::environment));
    }
  }
  return Done{};
}

}  // namespace rootlet
