// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/policy/policy.hpp"

namespace rootlet::packaging {

// What software centres and AppImage catalogues read of a packed tool: AppStream
// metadata of a console application (AppStream 1.0, chapter 2). `id` is the tool's
// name as a file name (file_name_of()).
struct Metainfo {
  std::string path;  // in the image: usr/share/metainfo/COMPONENT.appdata.xml
  std::string text;
};
Metainfo metainfo_of(const Policy& policy, const std::string& id);

}  // namespace rootlet::packaging
