// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "packaging/tree.hpp"
#include "runtime/policy/policy.hpp"

namespace rootlet::packaging {

// What makes a root tree a valid AppImage and tells the stub what to run.
struct AppDirParts {
  const Policy& policy;
  std::string policy_toml;  // kept beside the compiled form, for people
  std::string build_json;
  std::string apprun_file;  // our static AppRun; empty: a symlink to the entry
  std::int64_t time = 0;
};

// Adds AppRun (unless the policy keeps the source's own), a desktop file, an
// icon and /.rootlet/, leaving what the source has at its top as it is.
Status add_appdir_parts(Tree& tree, const AppDirParts& parts);

// Whether the policy gives the program more than its name: then a symlink as
// AppRun is enough for our stub, which reads the policy itself, but under
// another AppImage runtime the tool would miss it.
bool adds_to_entry(const Policy& policy);

// Name= of the desktop file at the top, or empty.
std::string desktop_name(const Tree& tree);

// A name as it may stand in a file name: others than letters, digits, ".", "_",
// "+" and "-" become "_".
std::string file_name_of(const std::string& name);

}  // namespace rootlet::packaging
