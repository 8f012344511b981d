// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launcher/desktop_entry.hpp"
#include "launcher/image_resources.hpp"
#include "runtime/payload/payload.hpp"
#include "runtime/policy/policy.hpp"

namespace rootlet {

// All that `inspect` knows about a file.
struct ImageReport {
  std::string path;
  std::string format;  // "type-2 AppImage", "type-1 AppImage", "ELF with a squashfs", "squashfs"
  std::uint64_t size = 0, offset = 0;
  std::optional<Superblock> superblock;  // none: ISO 9660
  std::optional<Policy> policy;          // none: not built by rootlet
  std::string policy_text;               // rootlet.toml as it is in the image
  std::string update_information;
  std::vector<std::string> signatures;  // "minisign", "GPG": carried inside, not judged
  std::optional<DesktopEntry> desktop;
  ImageResources resources;
  std::string sha256;   // of the whole file
  std::string seal;     // the digest that reads are checked against; empty: it has no seal
  std::string content;  // the digest of what the image holds, as it says itself; may be empty
  std::string build;    // build.json, as it is in the image; may be empty
  std::string bill;     // the bill of materials, CycloneDX; may be empty
};

Result<ImageReport> read_report(const std::string& path);

std::string report_as_text(const ImageReport& report);
std::string report_as_json(const ImageReport& report);

// The text of `.upd_info` of an open AppImage; empty where it has none.
std::string read_update_text(int fd, const std::string& name);

// The types that a MIME package names.
std::vector<std::string> mime_types(const ImageResource& package);

}  // namespace rootlet
