// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <vector>

#include "launcher/image_file.hpp"

namespace rootlet {

// A piece of a MIME package as the examiner parsed it (examiner/jobs.hpp).
struct MimeElement {
  std::string what, name, value;
};

// A file of an image that says something about it.
struct ImageResource {
  std::string path;  // in the image
  std::uint64_t size = 0;
  std::string bytes;                  // empty where only its size was asked for
  std::vector<MimeElement> elements;  // of a MIME package
};

// What was found in an image by the examiner, with libappimage's help: bounded,
// and not to be trusted.
struct ImageResources {
  // "files" (count), "has.AppRun", "has..DirIcon", "libappimage.format", ".offset", ".error"
  std::map<std::string, std::string> facts;
  std::map<std::string, ImageResource> texts;  // desktop, policy, policy.toml, diricon
  std::vector<ImageResource> icons, packages;
  std::vector<std::string> notes;  // what was left out, and why

  std::string fact(const std::string& name) const;
};

enum class Depth {
  sizes,   // of icons
  content  // their bytes
};
Result<ImageResources> read_resources(const ImageFile& image, Depth depth);

}  // namespace rootlet
