// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "packaging/tree.hpp"

namespace rootlet::packaging {

// What `build` was given, read into a tree.
struct Source {
  enum class Kind {
    kDirectory,
    kAppDir,
    kTar
  };
  Kind kind = Kind::kDirectory;
  std::string path;
  Tree tree;
  std::string note;  // what was left out or changed on the way; empty: nothing
};

std::string_view kind_name(Source::Kind kind);

// SPEC is a path whose kind is recognised, or one behind dir:, tar:, appdir:.
Result<Source> read_source(const std::string& spec);

// The tree below a directory. Symlinks are data; nothing is followed.
// Files of the caller's own appear as root's, so that the same tree packed by
// two people gives the same bytes; root keeps all owners.
Result<Tree> read_directory(const std::string& path, std::string& note);

// A tar archive with any compression that libarchive reads. Its files are
// spooled into one nameless scratch file: no member is ever created under its
// own name, so none can be written outside, and devices, owners and set-id
// bits need no privilege.
Result<Tree> read_tar(const std::string& path, std::string& note);

}  // namespace rootlet::packaging
