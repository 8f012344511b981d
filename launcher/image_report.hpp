// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "runtime/payload/payload.hpp"
#include "runtime/policy/policy.hpp"

namespace rootlet {

// All that `inspect` knows about a file.
struct ImageReport {
  std::string path;
  std::string format;  // "type-2 AppImage", "ELF with a squashfs", "squashfs"
  std::uint64_t size = 0, offset = 0;
  Superblock superblock;
  std::optional<Policy> policy;  // none: not built by rootlet
  std::string policy_text;       // rootlet.toml as it is in the image
  std::string update_information, signature, desktop_name;
  std::string sha256;  // of the whole file
};

Result<ImageReport> read_report(const std::string& path);

std::string report_as_text(const ImageReport& report);
std::string report_as_json(const ImageReport& report);

}  // namespace rootlet
