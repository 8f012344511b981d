// SPDX-License-Identifier: MIT
#pragma once

#include "packaging/check.hpp"
#include "packaging/findings.hpp"
#include "runtime/policy/policy.hpp"

namespace rootlet::packaging {

// Looks through a whole tree for what is not there: libraries and interpreters
// of programs that nobody named, what is loaded while a program runs (its
// .note.dlopen, and what is known of NSS, iconv, Qt, GTK and others), symlinks
// that lead nowhere, the locale and the certificates that the tool will ask
// for. `check` has checked the named programs: what they load counts as used.
//
// A library that lies anywhere in the image is not missed: how its directory
// gets on the search path (a wrapper, an environment) is beyond what can be read.
Findings survey(const Tree& tree, std::uint16_t machine, const Policy& policy, const Check& check);

}  // namespace rootlet::packaging
