// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/payload/zip_archive.hpp"

namespace rootlet {

// One image of a jar: META-INF/rootlet/NAME/CLASSIFIER/NAME.AppImage, and what
// NAME.json beside it says (interface: "In a jar").
struct JarImage {
  std::string name, classifier;
  std::optional<ZipEntry> image;  // none: `link` names it
  std::string link;               // the entry that holds its bytes; empty: its own
  std::string description;        // NAME.json; empty: there is none
  std::string digest;             // "sha256:...", as NAME.json says
  std::uint64_t size = 0;         // bytes, as NAME.json says
  std::string base;               // the file name of the image that it lies on; empty: none

  std::string stem() const;  // "META-INF/rootlet/NAME/CLASSIFIER/NAME"
};

// All of them, by name and classifier.
Result<std::vector<JarImage>> images_of(const ZipArchive& archive);

// What is known of an image that will be added.
struct ImageFacts {
  std::uint64_t size = 0, squashfs_offset = 0;
  std::string digest, entry, base;
  std::uint32_t crc = 0;
};
Result<ImageFacts> examine_image(int fd, const std::string& path);

// The content of NAME.json.
std::string describe(const std::string& name, const std::string& classifier,
                     const ImageFacts& facts, const std::string& stored_as);

// SHA-256 ("sha256:...") and CRC-32 of a part of a file, in one pass.
struct Sums {
  std::string digest;
  std::uint32_t crc = 0;
};
Result<Sums> sums_of(const FileRange& range, const std::string& name);

}  // namespace rootlet
