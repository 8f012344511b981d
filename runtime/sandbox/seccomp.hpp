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

}  // namespace rootlet::sandbox
