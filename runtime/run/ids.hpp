// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/run/caller.hpp"
#include "runtime/run/options.hpp"
#include "runtime/sandbox/id_map.hpp"

namespace rootlet {

// From uid-map, gid-map and fake-root to the ids of one run, and who writes
// them down. Looks at the host, changes nothing.
Result<sandbox::Ids> choose_ids(const Options& options, const Caller& caller);

// Writes the maps that init may not write itself, of the new user namespace of
// `init`. It is a child of ours that nobody has waited for, so its number is
// nobody else's meanwhile (nsjail #341).
Status write_maps(const sandbox::Ids& ids, pid_t init, const Caller& caller);

}  // namespace rootlet
