// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/image/server.hpp"

namespace rootlet::image {

// Where later runs find a shared server, and how they know it.
struct Offer {
  os::Fd socket;      // bound to its name, not listening yet
  os::Fd rendezvous;  // the directory of the name, locked with flock(2)
  std::string name;
  std::string key;  // told to every run: for whom this server is
  int keep_seconds = 0;
};

// Forks a keeper, which outlives us.
//
//   keeper   in a user and a mount namespace of its own, its root an empty
//    │       tmpfs: holds the mount, one capability to clone it, the socket
//    └─ reader   in our namespaces: holds /dev/fuse and the image
//
// The two are two because cloning a mount takes CAP_SYS_ADMIN over the
// namespace that it is mounted in, and whoever parses an image is to have no
// right at all. The reader is the one who listens at the socket, before it
// gives it up: the kernel then names it as the peer (SO_PEERCRED), and because
// it stands in the namespaces of its runs these can tell it from a tool, which
// does not (os/peer.hpp).
//
// It ends `keep_seconds` after its last run, and its socket with it; sooner
// when its name is removed, or when the parent ends that it is to end with
// (os/parent.hpp).
Result<Server> start_shared_server(Squashfs& image, Owner owner, Offer offer,
                                   const os::OneProcessor& beside);

// Joins the one behind a connected socket, which must be that of `key`. Waits
// no longer than the socket's timeouts.
Result<Server> join_server(os::Fd channel, const std::string& key);

}  // namespace rootlet::image
