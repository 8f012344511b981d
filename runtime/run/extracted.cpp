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

using Unpack = std::function<Status(int)>;

// `begun`: there is a place; what fails then is the image, but for a lack of room.
Result<PrivateDirectory> unpack_below(const std::string& base, const Unpack& unpack, bool& begun) {
  PrivateDirectory directory = TRY(PrivateDirectory::make(base, kUnpack, true));
  const std::string root = directory.path() + "/root";
  if (::mkdir(root.c_str(), 0755) != 0) return last_error(kUnpack, root);
  const os::Fd fd = TRY(os::open_at(AT_FDCWD, root, O_RDONLY | O_DIRECTORY));
  begun = true;
  TRY(unpack(fd.get()));
  return directory;
}

}  // namespace

Result<PrivateDirectory> extract_to_directory(image::Squashfs& image, const Log& log) {
  return unpack_to_directory([&](int directory) { return image::extract_all(image, directory); },
                             log);
}

Result<PrivateDirectory> unpack_to_directory(const Unpack& unpack, const Log& log) {
  Error first;
  for (const std::string& base : candidates()) {
    bool begun = false;
    auto extracted = unpack_below(base, unpack, begun);
    if (extracted.ok()) return extracted;
    const int code = extracted.error().code;
    // Of the image itself: two things of one name, say. It is so everywhere.
    if (begun && (code == 0 || code == EEXIST || code == ENOTDIR || code == ELOOP)) {
      return extracted;
    }
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
