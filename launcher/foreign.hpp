// SPDX-License-Identifier: MIT
#pragma once

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

}  // namespace rootlet
