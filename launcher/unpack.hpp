// SPDX-License-Identifier: MIT
#pragma once

#include "launcher/image_file.hpp"

namespace rootlet {

// Unpacks an ISO 9660 image below an open, empty directory: the examiner reads,
// this process writes, and never outside of the directory, whatever it is told:
// every step is relative to a descriptor, follows no symlink and overwrites
// nothing. Kept: modes (without setuid and setgid), times, links. Left out:
// device nodes, sockets, owners. Returns how many names were made.
Result<std::size_t> unpack_iso(const ImageFile& image, const std::vector<std::string>& patterns,
                               int directory);

}  // namespace rootlet
