// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <string>

#include "runtime/base/result.hpp"
#include "runtime/image/squashfs.hpp"
#include "runtime/os/affinity.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet::image {

// Under which ids every file of the image appears (as seen inside).
struct Owner {
  uid_t uid = 0;
  gid_t gid = 0;
};

// The process that answers the kernel's questions about an image.
//
// It is forked before any namespace is made: a server inside the mount
// namespace that it serves would keep that namespace, and itself, alive for
// ever; and outside the run's PID namespace no tool can name it.
struct Server {
  std::string image;  // its name for messages; empty: the image of the root
  pid_t pid = -1;
  os::Fd pidfd;
  // To the server: one message that carries its /dev/fuse descriptor. From
  // it: at most one message, the reason why it gives up.
  os::Fd channel;
};

// Forks the server. It waits for its descriptor, answers until the file
// system is unmounted, and ends when both ends of the channel are gone before
// it got one. For its first answers it stays on the processor `beside` init,
// which waits for them one by one. It holds none of the caller's descriptors, session or directory.
Result<Server> start_server(Squashfs& image, Owner owner, const os::OneProcessor& beside);

// Hands the server the /dev/fuse descriptor of a file system just mounted.
Status hand_over(int channel, int fuse);

// Makes the calling process, a child of `launcher`, the server. Never returns.
[[noreturn]] void serve(Squashfs& image, Owner owner, os::Fd channel, pid_t launcher,
                        const os::OneProcessor& beside);

}  // namespace rootlet::image
