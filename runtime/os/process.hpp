// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <initializer_list>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet::os {

struct Child {
  pid_t pid = -1;  // 0 in the child itself
  Fd pidfd;        // readable when it has ended; not set in the child
};

// fork(2) with CLONE_NEW* flags, all in one call, and a pidfd (clone(2),
// CLONE_PIDFD: Linux 5.2). The child goes on in the same frame, so it must end
// in _exit() or exec.
Result<Child> fork_with(unsigned long namespaces, std::string_view action);

// Closes every descriptor except these. close_range(2) is Linux 5.9; where it
// is missing or filtered, what /proc/self/fd lists, and without /proc up to
// the limit of open files.
void close_all_but(std::initializer_list<int> kept);
void close_all_but(std::vector<int> kept);

// Opens /dev/null on those of 0, 1 and 2 that the caller left closed, so that
// no descriptor of ours lands there, and says which they were. First of all.
std::vector<int> hold_standard_streams();

// waitpid() through EINTR; the status as wait(2) has it, or -1.
int wait_for(pid_t pid);

// Ends this process as a wait status says: the same exit code, or death by
// the same signal (without a core dump of our own). As PID 1, which no signal
// of its own can end, it exits 128+N.
[[noreturn]] void end_as(int wait_status);

}  // namespace rootlet::os
