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
  // Other ids exist in the run's user namespace, and read the image too.
  bool among_others = false;
};

// The process, or the two, that answer the kernel's questions about an image.
//
// A private server is one process, the reader, a child of the launcher. It is
// forked before any namespace is made: a server inside the mount namespace
// that it serves would keep that namespace, and itself, alive for ever; and
// outside the run's PID namespace no tool can name it. A shared server is a
// keeper, who holds the mount and gives it to runs, and its child, the reader
// (keeper.hpp); it outlives the launcher that started it.
struct Server {
  std::string image;  // its name for messages
  pid_t reader = -1;
  os::Fd pidfd;  // of the reader
  // From the server: at most one message, the reason why it gives up. To a
  // private one: one message that carries its /dev/fuse descriptor. It ends
  // with the reader, or with the keeper, before any file of the image does.
  os::Fd channel;
  // Of a shared one alone: its mount, as a copy to be attached once; and what
  // ends with its reader, before any file of the image does.
  os::Fd mount, life;
  os::Fd tally;  // see tally.hpp; of a shared one for all its runs together

  bool shared() const { return mount.valid(); }
};

// What a server that is started from now on keeps of decoded blocks, in bytes at
// most. Its memory altogether is bounded by 1 GiB.
std::size_t& cache_limit();
inline constexpr std::size_t kMostCache = 512u << 20;

// Forks a private server. It waits for its descriptor, answers until the file
// system is unmounted, and ends when both ends of the channel are gone before
// it got one. For its first answers it stays on the processor `beside` init,
// which waits for them one by one. It holds none of the caller's descriptors,
// session or directory. `counted`: what it reads is counted (tally.hpp), for a run that looks.
Result<Server> start_server(Squashfs& image, Owner owner, const os::OneProcessor& beside,
                            bool counted = false);

// Hands a private server, or a reader, the /dev/fuse descriptor of a file
// system just mounted.
Status hand_over(int channel, int fuse);

// Gives a descriptor a high number. When a process ends the kernel lets go of
// its files from the highest down (Linux 4.3, commit 9da33de62431): what tells
// of the end of a reader has to go before its /dev/fuse.
int lift(int fd);

// Makes the calling process, which has let go of its caller, a reader of
// `parent`. Never returns.
[[noreturn]] void serve(Squashfs& image, Owner owner, int channel, pid_t parent,
                        const os::OneProcessor& beside);

}  // namespace rootlet::image
