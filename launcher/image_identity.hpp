// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/result.hpp"

namespace rootlet {

// What an image says it is. Of an image of ours its policy, else its desktop
// entry; empty where nothing is said.
struct ImageIdentity {
  std::string name, version;
  std::uint16_t machine = 0;  // ELF's number of the processor; 0: a bare squashfs
};

// Reads it from an open file, the image itself in a confined child. Errors: no
// AppImage and no squashfs, or a damaged one.
Result<ImageIdentity> read_identity(int fd, const std::string& name);

// Less than, equal to or greater than 0, as `sort -V` orders them: runs of
// digits as numbers, the rest as text, "~" before everything.
int compare_versions(const std::string& left, const std::string& right);

}  // namespace rootlet
