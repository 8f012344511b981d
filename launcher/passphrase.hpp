// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "trust/minisign_key.hpp"

namespace rootlet {

// The first line of a file, without its end.
Result<std::string> passphrase_from_file(const std::string& path);

// Asks on the terminal, without echo; where there is none, reads a line of
// stdin, as minisign does. `again`: asked twice, for a new key.
Result<std::string> ask_passphrase(const std::string& question, bool again);

// The one or the other, for a key that turns out to have one.
trust::AskPassphrase passphrase_source(const std::string& file, const std::string& key);

}  // namespace rootlet
