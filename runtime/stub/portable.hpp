// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/run/source.hpp"

namespace rootlet {

// The directories beside a file that take the place of parts of the home:
// FILE.home, FILE.config, FILE.share, FILE.cache.

// --appimage-portable-KIND: makes one, 0700. It may be there already.
Result<int> make_portable(const std::string& file, const std::string& kind);
bool is_portable(const std::string& kind);

// Shows those that are there, as options would that the caller gave. One that
// the caller does not own, or that others may write to, is left alone: who
// fills it would fill his home.
void use_portable(Options& options, const std::string& file, const Caller& caller);

}  // namespace rootlet
