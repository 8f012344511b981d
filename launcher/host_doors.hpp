// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/os/mountinfo.hpp"

namespace rootlet {

// What of the host a view of it must not show, for a read-only mount leaves
// these doors open: a UNIX socket takes connections on one, and a /proc of the
// host shows its processes. Paths of sockets and of directories.
Result<std::vector<std::string>> doors_of_the_host();

// The paths in the text of a /proc/net/unix. A name may hold line ends.
std::vector<std::string> socket_paths(std::string_view table);

// `path`, and every other path at which one of the mounts shows the same file.
std::vector<std::string> all_names(const std::string& path,
                                   const std::vector<os::MountEntry>& mounts);

}  // namespace rootlet
