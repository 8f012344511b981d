// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/base/result.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/payload/payload.hpp"

namespace rootlet::image {

// The image as the kernel's own squashfs, for a real root who asked for it: a
// mount that is in no namespace yet (fsmount(2), Linux 5.2), to be attached
// once. The loop device below it goes with its last user, whoever is killed.
//
// The kernel trusts what it mounts, so the file must be one that only root can
// change: the kernel reads on after a check of ours.
Result<os::Fd> mount_by_kernel(const Payload& payload, const std::string& name);

}  // namespace rootlet::image
