// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/policy/policy.hpp"

namespace rootlet {

// What an image says it is. Of an image of ours its policy, else its desktop
// entry; empty where nothing is said.
struct ImageIdentity {
  std::string name, version;
  std::vector<Policy::Data> data;  // the images of data that it pins
  std::uint16_t machine = 0;       // ELF's number of the processor; 0: a bare squashfs
};

// Reads it from an open file, the image itself in a confined child. Errors: no
// AppImage and no squashfs, or a damaged one.
Result<ImageIdentity> read_identity(int fd, const std::string& name);

}  // namespace rootlet
