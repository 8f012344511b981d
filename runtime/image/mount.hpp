// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/image/server.hpp"

namespace rootlet::image {

// Mounts the image of the server behind `channel` over "/" of this mount
// namespace, without fusermount (FUSE in user namespaces: Linux 4.18, kernel
// commit 4ad769f3c346). /dev/fuse is opened here because the kernel wants it
// opened in the user namespace of the mount.
Status mount_over_root(int channel, Owner owner);

// True when /dev/fuse is there and may be opened.
bool have_fuse();

}  // namespace rootlet::image
