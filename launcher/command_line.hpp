// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>
#include <optional>

namespace rootlet {

// Parses a verb's arguments. Returns the exit status where the run ends here:
// 0 after --help, 125 after an error, which is printed in our form.
std::optional<int> parse_arguments(CLI::App& app, int argc, char** argv);

}  // namespace rootlet
