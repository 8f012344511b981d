// SPDX-License-Identifier: MIT
// A reader with a hole, linked into a test program alone (tests/CMakeLists.txt):
// whoever made the image is given the process, as a decoder's overflow would
// give it. It stands in front of the look-up of a name: "hole-WHAT" does WHAT.
// What is refused ends the process; what works makes the name exist.
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <string_view>

#include "runtime/image/overdue.hpp"
#include "runtime/image/squashfuse.hpp"

namespace {

const bool hasty = (rootlet::image::patience() = 2) != 0;  // 4 s

bool call(long number, long a = 0, long b = 0, long c = 0, long d = 0) {
  return ::syscall(number, a, b, c, d) >= 0;
}

long text(const char* value) { return reinterpret_cast<long>(value); }

// How much address space can be had.
bool takes_four_gigabytes() {
  constexpr std::size_t kStep = std::size_t{64} << 20;
  for (int i = 0; i < 64; ++i) {
    if (::mmap(nullptr, kStep, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
        MAP_FAILED) {
      return false;
    }
  }
  return true;
}

const char* const heap = static_cast<const char*>(::sbrk(0));

// A variable of the launcher's caller, wherever a copy of it is left.
bool finds_secret() {
  constexpr std::string_view kName = "HOLE_SECRET", kValue = "=of the caller";
  const std::string_view memory(heap,
                                static_cast<std::size_t>(static_cast<char*>(::sbrk(0)) - heap));
  for (std::size_t at = 0; (at = memory.find(kName, at)) != std::string_view::npos; ++at) {
    if (memory.substr(at + kName.size()).starts_with(kValue)) return true;
  }
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (std::string_view(*entry).starts_with(kName)) return true;
  }
  return false;
}

bool attempt(std::string_view what) {
  if (what == "open") return call(SYS_openat, AT_FDCWD, text("/etc/passwd"), O_RDONLY);
  if (what == "write") return call(SYS_openat, AT_FDCWD, text("x"), O_CREAT | O_WRONLY, 0600);
  if (what == "list") return call(SYS_getdents64, 3);
  if (what == "socket") return call(SYS_socket, AF_INET, SOCK_STREAM);
  if (what == "connect") return call(SYS_connect, 3);
  if (what == "accept") return call(SYS_accept4, 3);
  if (what == "execute") return call(SYS_execve, text("/bin/sh"));
  if (what == "fork") return call(SYS_clone, SIGCHLD);
  if (what == "namespace") return call(SYS_unshare, CLONE_NEWUSER);
  if (what == "kill") return call(SYS_kill, ::getppid(), 0);
  if (what == "trace") return call(SYS_ptrace, PTRACE_SEIZE, ::getppid());
  if (what == "memory-of-others") return call(SYS_process_vm_readv, ::getppid());
  if (what == "pidfd") return call(SYS_pidfd_open, ::getppid());
  if (what == "mount") return call(SYS_mount, text("x"), text("/tmp"), text("tmpfs"));
  if (what == "clone-mount") return call(SYS_open_tree, AT_FDCWD, text("/"), 1);
  if (what == "remove") return call(SYS_unlinkat, AT_FDCWD, text("x"));
  if (what == "terminal") return call(SYS_ioctl, 0, 0x5412);
  if (what == "code") {
    return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED;
  }
  if (what == "traceable") return call(SYS_prctl, PR_SET_DUMPABLE, 1);
  if (what == "secret") return finds_secret();
  if (what == "gigabytes") return takes_four_gigabytes();
  // What it never comes back from; and what it does after longer than it has patience.
  while (what == "loop") asm volatile("");
  while (what == "wait")
    call(SYS_futex, text(heap), FUTEX_WAIT, *reinterpret_cast<const int*>(heap));
  if (what == "slow-disk") {
    const rootlet::image::WaitsForFile waits;
    for (int tick = 0; tick < 4; ++tick) ::poll(nullptr, 0, 2500);  // each may end it early
    return true;
  }
  if (what == "nothing") return true;  // the one that works, to show that the others could
  return false;
}

}  // namespace

extern "C" {

sqfs_err __real_sqfs_dir_lookup(sqfs* fs, sqfs_inode* inode, const char* name, size_t length,
                                sqfs_dir_entry* entry, bool* found);

sqfs_err __wrap_sqfs_dir_lookup(sqfs* fs, sqfs_inode* inode, const char* name, size_t length,
                                sqfs_dir_entry* entry, bool* found) {
  constexpr std::string_view kHole = "hole-";
  constexpr std::string_view kLie = "lie-";
  const std::string_view wanted(name, length);
  if (wanted.starts_with(kHole) && attempt(wanted.substr(kHole.size()))) {
    return __real_sqfs_dir_lookup(fs, inode, "bin", 3, entry, found);
  }
  // Another file's content under this name: all that is left to do.
  if (wanted.starts_with(kLie)) {
    return __real_sqfs_dir_lookup(fs, inode, name + kLie.size(), length - kLie.size(), entry,
                                  found);
  }
  return __real_sqfs_dir_lookup(fs, inode, name, length, entry, found);
}

}  // extern "C"
