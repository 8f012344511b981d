// SPDX-License-Identifier: MIT
#pragma once

#include "packaging/tree.hpp"

namespace rootlet::packaging {

// Adds what the runtime mounts and binds onto, where the source lacks it: a
// mount point that exists costs nothing at start, a missing one means covering
// a directory. Files of the source are kept; an /etc/localtime or resolv.conf
// that is a symlink becomes a file, since the runtime binds the host's over it.
Status add_mount_points(Tree& tree, std::int64_t time);

}  // namespace rootlet::packaging
