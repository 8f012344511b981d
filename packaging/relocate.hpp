// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "packaging/tree.hpp"

namespace rootlet::packaging {

// Writes TO for FROM, the path that the files of a tree were installed for, in
// all of them, as conda does at an installation: in a text everywhere, in a
// binary file up to the end of each string, filled up with NULs. TO must not
// be longer. Compiled Python is left: it names its source for messages alone.
Status relocate(Tree& files, const std::string& from, const std::string& to);

}  // namespace rootlet::packaging
