// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/result.hpp"

namespace rootlet {

// What an add in place will overwrite: the jar's directory and its length,
// written beside the jar before the first byte of it is changed. While the
// journal exists the jar may be half written; restoring it is safe to repeat
// and to be killed in.
class JarJournal {
 public:
  // Where the journal of a jar lies: ".NAME.rootlet-journal" beside it.
  static std::string path_of(const std::string& jar);
  static bool exists(const std::string& jar);

  // On the disk when this returns.
  static Status write(int jar_fd, const std::string& jar, std::uint64_t directory);
  // Puts back what the journal holds, and removes it. Errors: a journal of
  // another jar, or a damaged one; nothing is changed then.
  static Status restore(int jar_fd, const std::string& jar);
  // The add is whole and on the disk.
  static Status remove(const std::string& jar);
};

}  // namespace rootlet
