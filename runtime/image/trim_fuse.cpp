// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "runtime/base/trim_never.hpp"

// What of libfuse 3 the stub does without. Linked into the stub and
// the static rootlet command.
//
// The image server uses a session that others have mounted: no option is ever
// parsed, nothing is mounted or unmounted here, and its threads are ours. The
// functions below are libfuse's own between its files (libfuse 3.14,
// lib/fuse_i.h, mount_util.h); defining them keeps the files out that hold
// them. Sizes: the stub grows by so much without the lines
// (the doors of trim_libc.cpp are then open).
TRIM_TARGET

// From fuse_lowlevel's table of requests, for character devices in userspace.
// The kernel sends CUSE_INIT through /dev/cuse only, and a session without
// cuse_data answers it with an error before it comes here. 668 KB: cuse, the
// high-level library, its modules, iconv and dlopen.
TRIM_NEVER(cuse_lowlevel_init);

// Its multi-threaded loop, in one member with the reference count of cloned
// channels: ours passes none (NULL), which is to be tolerated. Before threads
// were trimmed (base/trim_threads.cpp) it brought 476 KB.
extern "C" void* fuse_chan_get(void* channel) { return channel; }
extern "C" void fuse_chan_put(void*) {}

// Options: the server's argument list holds the program's name alone, so
// there is nothing to parse, and fuse_session_new only wants a pointer for
// the mount options. max_read 0 is its default. All of the file without its
// two parts above: 17 KB of libfuse, and sscanf with what it pulls in.
extern "C" {
int fuse_opt_parse(void*, void*, const void*, void*) { return 0; }
int fuse_opt_add_arg(void*, const char*) { return -1; }
void fuse_opt_free_args(void*) {}
void* parse_mount_opts(void*) {
  static char none;
  return &none;
}
void destroy_mount_opts(void*) {}
unsigned get_max_read(void*) { return 0; }

// "/dev/fd/N" is a mounted descriptor; -1 says that it is none.
int fuse_mnt_parse_fuse_fd(const char* mountpoint) {
  constexpr char kPrefix[] = "/dev/fd/";
  if (std::strncmp(mountpoint, kPrefix, sizeof kPrefix - 1) != 0) return -1;
  char* end = nullptr;
  const char* digits = mountpoint + sizeof kPrefix - 1;
  const long number = std::strtol(digits, &end, 10);
  return end == digits || *end != '\0' || number < 0 || number > 0x7fffffff
             ? -1
             : static_cast<int>(number);
}

// Mounting by libfuse itself: an error, as from a host without fusermount.
int fuse_kern_mount(const char*, void*) { return -1; }
void fuse_kern_unmount(const char*, int) {}

// Messages: the server's stderr is /dev/null; it says why it gives up itself.
void fuse_log(int, const char*, ...) {}
}
TRIM_NEVER(fuse_mount_version);
