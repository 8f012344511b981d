// SPDX-License-Identifier: MIT
#include "runtime/run/extracted.hpp"

#include <sys/stat.h>

#include <cstdlib>

#include "runtime/image/extract.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kUnpack = "unpack the image";

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

std::vector<std::string> places_to_unpack() {
  std::vector<std::string> bases;
  for (const char* variable : {"XDG_CACHE_HOME", "HOME", "TMPDIR"}) {
    const char* value = std::getenv(variable);
    if (value == nullptr || value[0] != '/') continue;
    bases.emplace_back(value);
    if (variable[0] == 'H') bases.back() += "/.cache";
  }
  bases.emplace_back("/tmp");
  return bases;
}

Result<PrivateDirectory> extract_to_directory(Source& source, const Log& log,
                                              const Keeping* keeping) {
  if (keeping != nullptr) {
    for (const std::string& base : places_to_unpack()) {
      auto kept = open_kept(base, source, *keeping, log);
      if (kept) return std::move(*kept);
    }
  }
  return unpack_to_directory(
      [&](int directory) { return image::extract_all(*source.image, directory); }, log);
}

Result<PrivateDirectory> unpack_to_directory(const Unpack& unpack, const Log& log) {
  std::string reasons;
  for (const std::string& base : places_to_unpack()) {
    bool begun = false;
    auto extracted = unpack_below(base, unpack, begun);
    if (extracted.ok()) return extracted;
    Error error = std::move(extracted).error();
    // Of the image itself: two things of one name, say. It is so everywhere.
    if (begun &&
        (error.code == 0 || error.code == EEXIST || error.code == ENOTDIR || error.code == ELOOP)) {
      return error;
    }
    // Which file of the image found no room is of no use; which disk is.
    if (error.code == ENOSPC || error.code == EDQUOT) error.subject = base;
    log.say([&] { return error.message() + "; trying elsewhere"; });
    error.action = std::exchange(error.subject, "");
    reasons += (reasons.empty() ? "" : "; ") + error.message();
  }
  return plain_error(kUnpack, "", "there is no place for it: " + reasons,
                     "point XDG_CACHE_HOME or TMPDIR to a directory with room, or let users open "
                     "/dev/fuse");
}

}  // namespace rootlet
