// SPDX-License-Identifier: MIT
#include "launcher/command_line.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "packaging/policy_file.hpp"
#include "runtime/base/error.hpp"

namespace rootlet {
namespace {

// The option that a mistyped one was perhaps meant to be, or empty.
std::string nearest_option(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    word.resize(std::min(word.find('='), word.size()));
    if (!word.starts_with("--")) continue;
    if (std::find(known.begin(), known.end(), word) != known.end()) continue;
    return packaging::suggest(word, known);
  }
  return {};
}

constexpr std::size_t kLines = 24, kColumns = 80;  // of a terminal

// Words, as many in a line as there is room.
std::string wrapped(const std::vector<std::string>& words, const std::string& indent) {
  std::string text, line = indent;
  for (const std::string& word : words) {
    if (line.size() + 1 + word.size() > kColumns) {
      text += line + "\n";
      line = indent;
    }
    line += (line.size() == indent.size() ? "" : " ") + word;
  }
  return text + line + "\n";
}

// What of `text` begins with `head`, up to the next empty line.
std::string paragraph(const std::string& text, std::string_view head) {
  const std::size_t at = text.find(head);
  if (at == std::string::npos) return {};
  return text.substr(at, text.find("\n\n", at) - at) + "\n";
}

// The help, as far as it fits a screen: without what each option is for where
// there are many.
std::string first_screen(const CLI::App& app) {
  const std::string whole = app.help();
  if (static_cast<std::size_t>(std::count(whole.begin(), whole.end(), '\n')) < kLines) return whole;
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    const auto& known = option->get_lnames();
    if (!known.empty()) names.push_back("--" + known.front());
  }
  const std::string usage = whole.substr(whole.find("Usage:"));
  return app.get_description() + "\n" + usage.substr(0, usage.find('\n')) + "\n\nOptions:\n" +
         wrapped(names, "  ") + "\n" + paragraph(whole, "Examples:") + "\n" + app.get_name() +
         " --help-all tells what each option does.\n";
}

}  // namespace

std::optional<int> parse_arguments(CLI::App& app, int argc, char** argv) {
  app.get_formatter()->column_width(26);  // the usual 30 leaves too little of 80
  app.set_help_all_flag("--help-all", "What each option does");
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::CallForAllHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::CallForHelp&) {
    std::fputs(first_screen(app).c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& error) {
    const std::string verb = app.get_name();
    const std::string near = nearest_option(app, argc, argv);
    print_error(plain_error("read the command line", verb, error.what(),
                            near.empty() ? verb + " --help" : "did you mean " + near + "?"));
    return 125;
  }
}

}  // namespace rootlet
