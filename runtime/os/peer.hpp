// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <string>

#include "runtime/base/result.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet::os {

// Where a process stands, as far as another one of its user can see it: the
// links in /proc/PID/ns are closed to all who may not trace it, and our servers
// are undumpable. The map of its user namespace is open to everybody.
struct Standing {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string uid_map;
};

// Of the calling process. An error where /proc is not that of its own PID
// namespace, so that its numbers mean other processes.
Result<Standing> own_standing();

// The map of the user namespace that `pid` is in, as the caller sees it; an
// error where it is in a PID namespace below that of `proc`, or gone. `stopped`: by a
// signal or a tracer.
Result<std::string> uid_map_of(int proc, pid_t pid, bool* stopped = nullptr);

// The process at the other end of a UNIX socket: who called connect(2), or
// listen(2).
struct Peer {
  pid_t pid = -1;
  Fd pidfd;
  bool stopped = false;
};

// The peer, if it is of the wanted user and group and stands in the wanted
// user namespace, and in the PID namespace of `proc`. A descriptor of it is
// held over the look, so that its number cannot have become another's.
Result<Peer> check_peer(int socket, int proc, const Standing& wanted);

// Stopped by a signal or a tracer.
bool is_stopped(pid_t pid);

}  // namespace rootlet::os
