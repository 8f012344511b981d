// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/run/source.hpp"

namespace rootlet {

// --appimage-mount: the image as a directory that other processes of the user
// can look into, until a signal ends it. Prints the directory to stdout.
//
// No file system of the host changes: the mount lies in a namespace of its
// own, held by a process whose /proc/PID/root is the way in. That process is
// not the image's server, has no capability left, and may be looked at by
// every process of its user. Where there is no FUSE the image is unpacked.
// Returns the wait status of a process that the signal killed.
Result<int> show_image(Source& source, const Caller& caller);

}  // namespace rootlet
