// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runtime/base/log.hpp"
#include "runtime/run/kept_image.hpp"
#include "runtime/run/private_directory.hpp"

namespace rootlet {

// Where unpacked images can lie, best first: $XDG_CACHE_HOME, ~/.cache,
// $TMPDIR, /tmp.
std::vector<std::string> places_to_unpack();

// An image unpacked into a private directory, as its entry "root": in the first
// of those places where such a directory can be had, whose files may be
// executed, and which has room. With `keeping` it is one that later runs use
// too, where it can be kept. Error: no place is left; it says of each why.
Result<PrivateDirectory> extract_to_directory(Source& source, const Log& log,
                                              const Keeping* keeping = nullptr);

// The same for what `unpack` writes into the open directory.
Result<PrivateDirectory> unpack_to_directory(const std::function<Status(int directory)>& unpack,
                                             const Log& log);

}  // namespace rootlet
