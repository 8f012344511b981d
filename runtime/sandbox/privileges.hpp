// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/base/result.hpp"

namespace rootlet::sandbox {

// Gives up every capability for good: bounding, ambient, inheritable,
// permitted and effective sets empty, secure bits locked (capabilities(7)).
Status drop_capabilities();

// execve(2) grants nothing any more (PR_SET_NO_NEW_PRIVS, Linux 3.5).
Status set_no_new_privileges();

// A Landlock domain: nobody outside it can be signalled (Linux 6.12, ABI 6),
// nor, with `sockets`, reached by an abstract socket. kill(0, ...) would
// otherwise reach every process of the caller's process group, because a
// process group crosses PID namespaces. False where the kernel lacks it.
Result<bool> scope_signals(bool sockets);
bool have_signal_scope();

}  // namespace rootlet::sandbox
