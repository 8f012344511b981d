// SPDX-License-Identifier: MIT
#pragma once

#include <linux/filter.h>

#include <span>

#include "runtime/base/result.hpp"

namespace rootlet::sandbox {

// The default system-call filter: what a packaged tool has no business with
// fails with an errno, the rest passes. docs/isolation.md justifies it entry
// by entry.
std::span<const sock_filter> default_filter();

// Puts it on the calling thread and everything that it starts. Needs
// no_new_privs. After every step that it would refuse.
Status install_filter(std::span<const sock_filter> program);

// The same without a word, and with one call: for where an error cannot be made any
// more. `listens`: returns a descriptor on which what the filter asks about is
// heard (Linux 5.0; that the call may go on, 5.5); a process can have one such
// filter. Else 0, or -1 and errno.
int raw_filter(std::span<const sock_filter> program, bool listens);

}  // namespace rootlet::sandbox
