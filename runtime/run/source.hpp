// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "runtime/image/squashfs.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/run/make_plan.hpp"

namespace rootlet {

// The thing to run, opened: an image in a file, or a plain directory.
struct Source {
  std::string file;  // absolute, symlinks resolved
  os::Fd fd;
  std::optional<image::Squashfs> image;  // none: `file` is a directory
  Payload payload;
  Source* below = nullptr;  // what the root shows where the image has nothing; not owned

  RootFile reader();  // regular files of the root; keep the Source while it is used
  bool has_file(const std::string& path);   // a regular one, not reached by a symlink
  bool has_entry(const std::string& path);  // anything
};

// FILE, FILE@OFFSET, FILE@OFFSET:LENGTH or JAR!/ENTRY; a directory; a bare squashfs; an
// AppImage (the payload behind its ELF part).
Result<Source> open_source(const std::string& text);

// The file that such a text names, opened without a look into it. `whole`: the
// text names nothing but the file.
struct LocatedFile {
  std::string file;  // absolute, symlinks resolved
  os::Fd fd;
  bool whole = true;
};
Result<LocatedFile> open_location(const std::string& text);
// Where the image lies in it.
Result<Payload> locate_payload(int fd, const std::string& text);

// An image in a file that is open already; `file` is its path.
Result<Source> open_source_of(os::Fd fd, const std::string& file);

// FILE of such a text.
std::string location_file(const std::string& text);

// The file that this process was started from (or TARGET_APPIMAGE).
Result<Source> open_own(const std::string& target_appimage);

// /.rootlet/policy.bin, or an empty policy where the image has none.
Result<Policy> read_policy(Source& source);

}  // namespace rootlet
