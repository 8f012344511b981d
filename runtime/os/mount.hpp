// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/base/result.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet::os {

// Mounts are made in a mount namespace of our own and live as long as it, so
// nothing here is ever undone: kill -9 leaves nothing on the host. Sources and
// targets are descriptors, so no name is looked up twice, and the image's
// symlinks decide nothing. `shown` is the name for error messages.

// A new file system of `type` on the object that `target` stands for.
Status mount_new(const char* type, int target, unsigned long flags, const std::string& options,
                 const std::string& shown);

// The tree (or file) `source`, with the mounts below it, on `target`. What was
// mounted, as a descriptor; invalid where the kernel gives none.
Result<Fd> mount_bind(int source, int target, const std::string& shown);

// The same for a `source` of the host, whose mounts are all locked in a user
// namespace below it (mount_namespaces(7)). `below`: there are mounts below it.
Result<Fd> mount_bind_of_host(int source, int target, const std::string& shown, bool& below);

// What the host mounts later at or below a mount.
enum class Later {
  follows,
  kept_out
};

// Makes the mount that `root` stands for, and all below it, at least
// read-only, nosuid and nodev as asked (MOUNT_ATTR_* bits, mount_setattr(2),
// Linux 5.12; before that a walk over the mounts below). Flags that the host
// has set stay set.
Status restrict_mount(int root, unsigned long long attributes, const std::string& shown,
                      Later later = Later::follows);

// After a mount could not be made read-only: true, a moment later, if that was because
// another process of the run was just writing to it (EBUSY, mnt_hold_writers() in
// fs/namespace.c; following a fresh symlink writes its time), and it may be tried again.
// `tries`: 0 at first.
bool was_busy_for_a_moment(int& tries);

// What is mounted or unmounted on the host from now on is not repeated at or
// below the mount that `root` stands for.
Status make_private(int root, const std::string& shown);

// Whether it lies on a FUSE file system. Each is asked once: the answer is its
// server's.
bool is_fuse(int fd);

// What was mounted last on the directory `name`, as a descriptor. `name` must
// be looked up through a step that follows mounts ("." does not).
Result<Fd> open_mounted(int parent, const std::string& name);

}  // namespace rootlet::os
