// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "runtime/base/result.hpp"
#include "runtime/payload/payload.hpp"

namespace rootlet {

// The few files of an image that tell about it; nullopt where one is absent.
struct ImageFiles {
  std::optional<std::string> policy;  // the compiled one
  std::optional<std::string> policy_toml;
  std::optional<std::string> desktop;
};

// Reads them in a child process with bounded memory and time: an image from
// anywhere may be built to crash a reader (libsquashfuse 0.1.105 does, on 2 of
// 1500 randomly changed images), and that must end in a message.
Result<ImageFiles> read_image_files(const Payload& payload, const std::string& name);

}  // namespace rootlet
