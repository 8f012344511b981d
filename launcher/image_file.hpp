// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "launcher/examination.hpp"

namespace rootlet {

enum class ImageFormat {
  type_1,    // an AppImage with an ISO 9660 image
  type_2,    // an AppImage with a squashfs
  program,   // an ELF program with a squashfs, without the magic
  squashfs,  // a bare one
  iso        // a bare one
};
std::string_view format_name(ImageFormat format);

// A file that may be examined: opened, its image located by our own bounded
// code; no library has seen a byte of it.
struct ImageFile {
  std::string name;  // as the user has it
  std::string path;  // of the file: absolute, symlinks resolved
  os::Fd fd;
  std::uint64_t offset = 0, length = 0, size = 0;
  ImageFormat format = ImageFormat::squashfs;
  bool whole = true;  // not a part of another file

  bool is_iso() const { return format == ImageFormat::type_1 || format == ImageFormat::iso; }
  Question question(std::string job, std::vector<std::string> words) const;
};

// FILE, FILE@OFFSET[:LENGTH] or JAR!/ENTRY.
Result<ImageFile> open_image_file(const std::string& text);

// What begins at byte `at` is an ISO 9660 image, perhaps with a program in the
// part of it that the format leaves free, as in type-1 AppImages.
bool is_iso_image(int fd, std::uint64_t at);

}  // namespace rootlet
