// SPDX-License-Identifier: MIT
#pragma once

#include "launcher/learn/path_calls.hpp"
#include "launcher/learn/path_resolver.hpp"

namespace rootlet::learn {

// How a call on a path will end, judged from what is there now: the mode of the file,
// or of its directory, and whether the mount is read-only. Access control lists and
// security modules are not asked, so a refusal is looked at when the call returns.
class Prediction {
 public:
  // As this process may: its own ids and groups, no capability.
  Prediction();

  // 0, or the errno.
  int error_of(const PathArgument& argument, const Found& found) const;

 private:
  int error_of_open(std::uint64_t flags, const Found& found) const;
  int error_of_entry(const Found& found) const;  // to make or remove it
  bool may(unsigned mode, unsigned uid, unsigned gid, unsigned wanted) const;

  unsigned uid_;
  std::vector<unsigned> groups_;
};

}  // namespace rootlet::learn
