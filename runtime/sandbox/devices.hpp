// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/base/result.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/sandbox/root.hpp"

namespace rootlet::sandbox {

// The minimal /dev: null, zero, full, random, urandom and tty of the host,
// terminals of its own, an empty /dev/shm, the usual symlinks. The nodes come
// from the host, checked to be what their names say, never from the image.
//
// Each of them is a mount, some 40 us, so two processes make it: init the directory
// and /dev/shm, and the process that becomes the tool, to which the directory and the
// root are handed over `channel`, what else belongs into it.
Status begin_dev(Root& root, int channel);
// That process' part; called with the rights and ids that init has. Tells init when
// it is done. Nothing comes when init has given up: it says why itself.
struct Handed {
  os::Fd root, dev;
};
Result<Handed> fill_dev(int channel);

}  // namespace rootlet::sandbox
