// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "runtime/base/result.hpp"
#include "runtime/sandbox/id_map.hpp"

namespace rootlet::sandbox {

// A set of capabilities, as capabilities(7) numbers them.
using Capabilities = std::uint64_t;

// What is left to the tool: nothing, but where several ids exist inside, what
// makes them mean something: to own, to become, to signal. None of it mounts,
// traces or configures anything.
Capabilities capabilities_of_tool(const Ids& ids);

// What is left to init: nothing, but where the tool may become someone else,
// to signal it still.
Capabilities capabilities_of_init(const Ids& ids);

// Gives up every other capability for good: bounding, ambient and inheritable
// sets empty of them, secure bits locked (capabilities(7)). With none kept,
// uid 0 means nothing either.
Status drop_capabilities(Capabilities kept);

// For a program outside that sets up the network inside, in a process that just
// entered the run's user namespace: it keeps the two capabilities for that, over
// execve(2) too.
Status keep_network_capabilities();

// execve(2) grants nothing any more (PR_SET_NO_NEW_PRIVS, Linux 3.5).
Status set_no_new_privileges();

// A Landlock domain: nobody outside it can be signalled (Linux 6.12, ABI 6),
// nor, with `sockets`, reached by an abstract socket. kill(0, ...) would
// otherwise reach every process of the caller's process group, because a
// process group crosses PID namespaces. False where the kernel lacks it.
Result<bool> scope_signals(bool sockets);
bool have_signal_scope();

}  // namespace rootlet::sandbox
