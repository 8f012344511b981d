// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/base/result.hpp"
#include "runtime/sandbox/root.hpp"

namespace rootlet::sandbox {

// The minimal /dev: null, zero, full, random, urandom and tty of the host,
// terminals of its own, an empty /dev/shm, the usual symlinks. The nodes come
// from the host, checked to be what their names say, never from the image.
Status build_dev(Root& root);

}  // namespace rootlet::sandbox
