// SPDX-License-Identifier: MIT
#include "launcher/run_options.hpp"

#include <array>

namespace rootlet {
namespace {

// Another spelling of one of our options. `value` is given for a flag that
// stands for an option with a value; without it the flag takes what ours takes.
struct Alias {
  std::string_view spelled;
  std::string_view name;
  std::optional<std::string_view> value = {};
};

constexpr std::array kAliases = std::to_array<Alias>({
    {"-B", "bind"},
    {"-v", "bind"},
    {"--volume", "bind"},
    {"-e", "clean-env"},
    {"--cleanenv", "clean-env"},
    {"-c", "profile", "contained"},
    {"--contain", "profile", "contained"},
    {"-C", "profile", "isolated"},
    {"--containall", "profile", "isolated"},
    {"-H", "home"},
    {"--no-home", "home", "none"},
    {"--pwd", "cwd"},
    {"-W", "tmp"},
    {"--workdir", "tmp"},
    {"-S", "writable"},
    {"--scratch", "writable"},
    {"-p", "pid", "private"},
    {"-i", "ipc", "private"},
    {"-n", "net", "none"},
    {"-f", "fake-root"},
    {"--fakeroot", "fake-root"},
    {"--writable-tmpfs", "overlay", "tmpfs"},
});

const Alias* find_alias(std::string_view word) {
  for (const Alias& alias : kAliases) {
    if (alias.spelled == word) return &alias;
  }
  return nullptr;
}

const OptionRow* find_row(std::string_view name) {
  for (const OptionRow& row : option_table()) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

// One option and, where it takes one from the next word, its value.
Status read_option(RunLine& line, const std::vector<std::string>& words, std::size_t& at) {
  const std::string& word = words[at];
  const std::size_t equals = word.starts_with("--") ? word.find('=') : std::string::npos;
  const std::string spelled = word.substr(0, equals);
  std::string_view name = spelled.starts_with("--") ? std::string_view(spelled).substr(2)
                                                    : std::string_view(spelled).substr(1);
  std::optional<std::string> value;
  if (equals != std::string::npos) value = word.substr(equals + 1);
  if (const Alias* alias = find_alias(spelled)) {
    name = alias->name;
    if (alias->value && !value) value = std::string(*alias->value);
  }
  const OptionRow* row = find_row(name);
  // Apptainer's --uts is a flag, ours takes a word: the next one if it is such.
  const std::string next = at + 1 < words.size() ? words[at + 1] : "";
  if (name == "uts" && !value && next != "private" && next != "host") value = "private";
  if (row != nullptr && !row->value.empty() && !value && at + 1 < words.size()) {
    value = next;
    ++at;
  }
  return set_option(line.options, name, value, Origin::command_line);
}

}  // namespace

Result<RunLine> parse_run(const std::vector<std::string>& words) {
  RunLine line;
  std::size_t at = 0;
  for (; at < words.size(); ++at) {
    if (words[at] == "--") {
      ++at;
      break;
    }
    if (words[at].size() < 2 || words[at][0] != '-') break;
    if (words[at] == "-h") {
      line.options.help = true;
      continue;
    }
    TRY(read_option(line, words, at));
  }
  if (at < words.size()) {
    line.image = words[at];
    line.arguments.assign(words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.end());
  }
  return line;
}

}  // namespace rootlet
