// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.hpp"

namespace rootlet {

// What `rootlet jar add` was asked for.
struct JarAdd {
  std::string jar;
  std::vector<std::string> images;  // [NAME=]FILE
  std::string classifier;           // of all of them
  bool in_place = false, replace = false;
};

// Adds the images: into a copy that takes the jar's place at the end, or in
// place behind a journal. The jar is as it was, or whole and new. Returns a
// line for each image.
Result<std::vector<std::string>> add_to_jar(const JarAdd& request);

// Opens the jar to change it, locked, and rolls back an add that was killed.
// `noted` is set when that happened.
struct OpenJar {
  int fd = -1;  // owned by the caller; the lock goes with it
  std::string path;
};
Result<OpenJar> open_jar(const std::string& path, bool& noted);

}  // namespace rootlet
