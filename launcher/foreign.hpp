// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/base/log.hpp"
#include "runtime/run/private_directory.hpp"
#include "runtime/run/source.hpp"

namespace rootlet {

// An AppImage that brings no root of its own but counts on the host's
// libraries, as most do: it has an AppRun, no policy of ours, and neither a
// shell nor a dynamic loader where a root has them.
bool expects_the_host(Source& image);

// Turns the run of such a file into one on a read-only view of the host, with
// the image shown at APPDIR and its AppRun as the program. `text`: how the user
// named it.
void run_on_the_host(Options& options, const Source& image, const std::string& text);

// A type-1 AppImage (an ISO 9660 image), unpacked for one run into a private
// directory, as its entry "root": the examiner reads, we write. Nothing: `text`
// names no such file.
Result<std::optional<PrivateDirectory>> unpack_type_1(const std::string& text, const Log& log);

// What run_on_the_host() does, for such a directory; false: it brings a root of
// its own, which is to be run as directories are.
bool run_unpacked_on_the_host(Options& options, const PrivateDirectory& directory,
                              const std::string& text);

}  // namespace rootlet
