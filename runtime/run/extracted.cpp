// SPDX-License-Identifier: MIT
#include "runtime/run/extracted.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <vector>

#include "runtime/image/extract.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kUnpack = "unpack the image";

std::vector<std::string> candidates() {
  std::vector<std::string> bases;
  const auto add = [&](const char* variable, const std::string& below) {
    const char* value = std::getenv(variable);
    if (value != nullptr && value[0] == '/') bases.push_back(value + below);
  };
  add("XDG_CACHE_HOME", "");
  add("HOME", "/.cache");
  add("TMPDIR", "");
  bases.emplace_back("/tmp");
  return bases;
}

Result<PrivateDirectory> extract_below(const std::string& base, image::Squashfs& image) {
  PrivateDirectory directory = TRY(PrivateDirectory::make(base, kUnpack, true));
  const std::string root = directory.path() + "/root";
  if (::mkdir(root.c_str(), 0755) != 0) return last_error(kUnpack, root);
  const os::Fd fd = TRY(os::open_at(AT_FDCWD, root, O_RDONLY | O_DIRECTORY));
  TRY(image::extract_all(image, fd.get()));
  return directory;
}

}  // namespace

Result<PrivateDirectory> extract_to_directory(image::Squashfs& image, const Log& log) {
  Error first;
  for (const std::string& base : candidates()) {
    auto extracted = extract_below(base, image);
    if (extracted.ok()) return extracted;
    const int code = extracted.error().code;
    // Which file of the image found no room is of no use; which disk is.
    if (code == ENOSPC || code == EDQUOT)
      extracted = Error{code, std::string(kUnpack), base, "", ""};
    log.say([&] { return extracted.error().message() + "; trying elsewhere"; });
    if (first.action.empty()) first = extracted.error();
  }
  first.hint = "point XDG_CACHE_HOME or TMPDIR to a directory with room";
  return first;
}

}  // namespace rootlet
