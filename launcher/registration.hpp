// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "launcher/image_resources.hpp"

namespace rootlet {

// A file that registering an AppImage writes below a directory of the user's.
struct RegisteredFile {
  enum class Base {
    data,  // $XDG_DATA_HOME
    cache  // $XDG_CACHE_HOME
  };
  Base base = Base::data;
  std::string path;  // relative; each part of letters, digits, "._-+@" that we chose or checked
  std::string bytes;
  unsigned mode = 0644;
};

// All that a desktop is told about an AppImage, under the names that
// libappimage gives: appimage_is_registered_in_system() finds it, and
// appimage_unregister_in_system() removes it.
struct Registration {
  std::string id;                     // md5 of the file's URI
  std::string name;                   // of the application
  std::vector<RegisteredFile> files;  // the desktop entry is the last
  std::vector<std::string> notes;     // what was left out, and why
};

struct RegistrationOptions {
  bool force = false;  // though its maker asked not to
};

// From what the examiner found. Nothing is written. `path`: absolute.
Result<Registration> make_registration(const ImageFile& image, const std::string& path,
                                       ImageResources found, const RegistrationOptions& options);

// What libappimage calls an AppImage: md5 of "file://" and its path.
std::string appimage_id(const std::string& path);
inline constexpr const char* kVendor = "appimagekit_";  // in front of every such name

// Letters, digits, "." "-" "_"; anything else becomes "_".
std::string safe_name(std::string text);

}  // namespace rootlet
