// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "runtime/base/log.hpp"
#include "runtime/image/squashfs.hpp"
#include "runtime/run/private_directory.hpp"

namespace rootlet {

// An image unpacked into a private directory, as its entry "root". Below
// $XDG_CACHE_HOME, else ~/.cache, else $TMPDIR or /tmp: the first where such a
// directory can be had and whose files may be executed.
Result<PrivateDirectory> extract_to_directory(image::Squashfs& image, const Log& log);

// The same for what `unpack` writes into the open directory.
Result<PrivateDirectory> unpack_to_directory(const std::function<Status(int directory)>& unpack,
                                             const Log& log);

}  // namespace rootlet
