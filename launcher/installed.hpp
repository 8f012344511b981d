// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "launcher/xdg_home.hpp"

namespace rootlet {

// An AppImage that is registered with the user's desktop, by rootlet or by any
// program that uses libappimage.
struct Installed {
  std::string id;
  std::string name, version;
  std::string file;   // the AppImage
  std::string entry;  // the desktop entry, relative to $XDG_DATA_HOME
  // "ok"; "changed": the file is newer than its registration; "missing": the file
  // is gone; "incomplete": there is no desktop entry, only other files.
  std::string state;
};

std::vector<Installed> read_installed(const XdgHome& home);

}  // namespace rootlet
