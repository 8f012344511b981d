// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>

#include "runtime/base/result.hpp"

// What an image server gives up before it looks at the first byte that an
// image's maker chose. docs/security.md says who holds what afterwards.
namespace rootlet::image {

// Leaves everything of the caller behind: terminal, session, directory,
// command line, environment, descriptors other than `kept`. A captured pipe
// must end when the tool ends, Ctrl-C is not for us, and a busy directory
// could not be unmounted. All signals are blocked.
void let_go(const char* name, std::initializer_list<int> kept);

// Leaves the calling process what a reader needs: take the one descriptor that
// is still to come, read, answer, memory (bounded, none that can be executed),
// give up. Any other system call ends it. No capability, no file, no network.
Status confine_reader();

// The same for a keeper: accept, look at who it is in `proc` (a directory of
// processes), clone a mount (the one capability), send it, and remove its
// socket from `rendezvous` at the end. `outside`, where it is valid: in it the
// empty directories may be removed that were made for servers of one parent.
Status confine_keeper(int proc, int rendezvous, int outside);

}  // namespace rootlet::image
