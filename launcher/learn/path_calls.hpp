// SPDX-License-Identifier: MIT
#pragma once

#include <linux/seccomp.h>

#include <cstdint>
#include <vector>

namespace rootlet::learn {

// A path that a call takes, and what the call does there.
struct PathArgument {
  enum class Intent {
    open,  // as `flags` says
    execute,
    metadata,  // looks at it
    change,    // of a file that is there: its size, mode, owner, times, attributes
    create,    // an entry of this name
    replace,   // the same, whatever has the name: rename(2)
    remove,
    keep  // reachable under a second name: link(2)
  };
  int directory = -100;       // AT_FDCWD, or the descriptor that a relative path begins at
  std::uint64_t address = 0;  // in the tool's memory
  Intent intent = Intent::metadata;
  bool follow = true;           // a symlink at the end
  std::uint64_t flags = 0;      // of open(2)
  bool behind_pointer = false;  // the flags are: `flags` is the address of an open_how
};

// None for a call without. Two for renames and links.
std::vector<PathArgument> path_arguments(const seccomp_data& call);

}  // namespace rootlet::learn
