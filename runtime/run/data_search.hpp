// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/os/fd.hpp"
#include "runtime/policy/policy.hpp"
#include "runtime/run/caller.hpp"

// Where a run finds the data that its image names.
namespace rootlet {

// The directories, in the order in which they are looked through: those that
// were given (`given`, with ROOTLET_DATA_PATH among them), the one that the
// image lies in, the user's own store, those of the site.
//
//     $XDG_DATA_HOME/rootlet/data     ~/.local/share/rootlet/data
//     $XDG_DATA_DIRS/rootlet/data     /usr/local/share/..., /usr/share/...
std::vector<std::string> data_places(const std::vector<std::string>& given, const Caller& caller,
                                     const std::string& image_file);

// The user's own store alone; empty for a user without a home.
std::string data_store(const Caller& caller);

// One directory, and what came of it.
struct DataPlace {
  std::string directory;
  // Empty: nothing of the name or digest is there. Else a line for each file
  // that is, and is not what was looked for.
  std::vector<std::string> refused;
  bool answered = true;  // a directory of a server that is gone does not
};

struct DataSearch {
  os::Fd fd;         // of what was found; not valid: nothing
  std::string file;  // its path
  std::vector<DataPlace> places;

  // "/a: not there; /b/pfam.sqfs: its digest is sha256:..., not sha256:..."
  std::string text() const;
};

// Looks for a file with the digest that `data` names: in each directory as
// sha256/AB/ABCD..., then as NAME.sqfs, NAME.AppImage and NAME. It counts only
// if the digest of its seal is the one, which takes no longer for a large file
// than for a small one; what is read of it later is checked against that seal.
// Each directory has five seconds to answer, all at the same time.
Result<DataSearch> find_data(const Policy::Data& data, const std::vector<std::string>& places);

}  // namespace rootlet
