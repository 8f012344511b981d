// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>

#include "runtime/image/squashfs.hpp"

namespace rootlet::image {

// What an extraction may leave out. `wanted` is asked with each path (no
// leading slash); a directory that is not wanted is still entered.
using Wanted = std::function<bool(const std::string& path)>;

// Unpacks the image below the open directory. Nothing is ever written outside
// of it, whatever the image holds: every step is relative to a descriptor,
// follows no symlink and overwrites nothing (O_EXCL). Kept: modes (without
// setuid and setgid), times, hard links, symlinks, holes. Left out: device
// nodes, owners. Errors: no space, damaged image, an impossible name.
Status extract_all(Squashfs& image, int directory, const Wanted& wanted = {});

// The sum of the sizes of all regular files, hard links once.
Result<std::uint64_t> unpacked_size(Squashfs& image);

}  // namespace rootlet::image
