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

}  // namespace

std::optional<int> parse_arguments(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
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
