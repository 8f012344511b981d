// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace rootlet {

// Thumbnails as file managers look for them (Thumbnail Managing Standard 0.8).

// "MD5.png" of the file's URI, which is escaped: for a path with unusual letters
// another name than libappimage's.
std::string thumbnail_name(const std::string& path);

// The PNG with the chunks that tell whose thumbnail it is, and of which version
// of the open file.
std::string as_thumbnail(const std::string& png, const std::string& path, int file);

}  // namespace rootlet
