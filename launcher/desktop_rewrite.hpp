// SPDX-License-Identifier: MIT
#pragma once

#include "launcher/desktop_entry.hpp"

namespace rootlet {

// A desktop entry as it goes into the user's menus.
struct RewrittenEntry {
  std::string file_name;   // appimagekit_ID-NAME.desktop
  std::string name, icon;  // as the image has them
  std::string text;
  std::vector<std::string> notes;  // what was left out, and why
};

// As libappimage rewrites it: Exec and TryExec lead to the file at `path`, Icon
// to the icons of `id`, the version stands behind the name, X-AppImage-* tell
// what was there. Besides: keys that the specification does not know, and
// groups that are no listed action, are left out; Exec is quoted anew. Errors:
// no application, no Name or Exec, an Icon that is a path, or its maker asked not
// to be integrated (unless `force`).
Result<RewrittenEntry> rewrite_entry(const DesktopEntry& entry, const std::string& path,
                                     const std::string& id, const std::string& image, bool force);

}  // namespace rootlet
