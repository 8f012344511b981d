// SPDX-License-Identifier: MIT
// An examiner with a hole, linked into a test program alone (tests/CMakeLists.txt):
// who made the file is given the process, as a library's overflow would give it.
// A file that ends in "hole:WHAT" does WHAT once the process is confined, one that
// ends in "hole!WHAT" does it in a process that was never confined. What worked
// and what was refused is told as an error; what is forbidden ends the process.
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>

#include "examiner/confine.hpp"
#include "examiner/jobs.hpp"

namespace {

using rootlet::FrameWriter;
using rootlet::Tag;

std::string order() {
  struct stat status {};
  char bytes[512] = "";
  ::fstat(rootlet::examiner::kFile, &status);
  const off_t from = std::max<off_t>(0, status.st_size - 500);
  const ssize_t got = ::pread(rootlet::examiner::kFile, bytes, 500, from);
  const std::string tail(bytes, got > 0 ? static_cast<std::size_t>(got) : 0);
  const std::size_t at = tail.rfind("hole");
  return at == tail.npos ? std::string() : tail.substr(at + 4);
}

bool call(long number, long a = 0, long b = 0, long c = 0, long d = 0) {
  return ::syscall(number, a, b, c, d) >= 0;
}
long text(const char* value) { return reinterpret_cast<long>(value); }

bool connects(const std::string& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port.c_str())));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return fd >= 0 && ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

bool takes_four_gigabytes() {
  for (int i = 0; i < 64; ++i) {
    if (::mmap(nullptr, std::size_t{64} << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
               -1, 0) == MAP_FAILED) {
      return false;
    }
  }
  return true;
}

bool executes() {
  if (::fork() == 0) {
    ::execl("/bin/true", "true", nullptr);
    ::_exit(1);
  }
  return true;
}

[[noreturn]] void wait_for_ever() {
  static int word = 0;
  for (;;) ::syscall(SYS_futex, &word, FUTEX_WAIT, 0, nullptr, nullptr, 0);
}

// Not about rights, but about who listens.
void say(const std::string& what) {
  FrameWriter out(4);
  if (what == "hang") wait_for_ever();
  if (what == "spin") {
    for (volatile bool go = true; go;) {
    }
  }
  if (what == "die") __builtin_trap();
  if (what == "leave") ::_exit(0);
  if (what == "nonsense") (void)!::write(4, "nothing of the kind", 19);
  if (what == "length") (void)!::write(4, "c\xff\xff\xff\xff", 5);
  const std::string megabyte(1 << 20, 'x');
  while (what == "flood") out.fact("f", megabyte);
  rootlet::Member member{'f', what == "climb" ? "../../climbed" : "a/../../climbed", "", 0644, 0,
                         4};
  if (what == "absolute") member.path = "/climbed";
  if (what == "climb" || what == "inside" || what == "absolute") {
    out.put(Tag::member, rootlet::encode(member));
    out.put(Tag::content, "evil");
    out.put(Tag::end, {});
  }
  if (what == "through") {  // a link, and then something below it
    const rootlet::Member link{'l', "a", "/tmp", 0777, 0, 0};
    member.path = "a/climbed";
    out.put(Tag::member, rootlet::encode(link));
    out.put(Tag::member, rootlet::encode(member));
    out.put(Tag::content, "evil");
    out.put(Tag::end, {});
  }
  ::_exit(0);
}

bool attempt(const std::string& what, const std::string& more) {
  if (what == "open") return call(SYS_openat, AT_FDCWD, text(more.c_str()), O_RDONLY);
  if (what == "list") return call(SYS_openat, AT_FDCWD, text("/etc"), O_RDONLY | O_DIRECTORY);
  if (what == "write") {
    return call(SYS_openat, AT_FDCWD, text(more.c_str()), O_CREAT | O_WRONLY, 0600);
  }
  if (what == "change") return call(SYS_openat, AT_FDCWD, text("/proc/self/fd/3"), O_RDWR);
  if (what == "unlink") return call(SYS_unlinkat, AT_FDCWD, text(more.c_str()), 0);
  if (what == "connect") return connects(more);
  if (what == "socket") return call(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
  if (what == "exec") return executes();
  if (what == "kill") return call(SYS_kill, ::getppid(), 0);
  if (what == "trace") return call(SYS_ptrace, PTRACE_SEIZE, ::getppid(), 0, 0);
  if (what == "namespace") return call(SYS_unshare, CLONE_NEWUSER);
  if (what == "code") {
    return ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                  -1, 0) != MAP_FAILED;
  }
  if (what == "memory") return takes_four_gigabytes();
  if (what == "io_uring") return call(SYS_io_uring_setup, 1, text(std::string(120, 0).c_str()));
  say(what);
  return false;
}

void obey(char mode) {
  const std::string all = order();
  if (all.empty() || all[0] != mode) return;
  const std::size_t blank = std::min(all.find(' '), all.size());
  const std::string what = all.substr(1, blank - 1);
  const bool worked = attempt(what, all.substr(std::min(blank + 1, all.size())));
  std::string body;
  rootlet::put_text(body, "");
  rootlet::put_text(body, "hole: " + what + (worked ? " worked" : " was refused"));
  rootlet::put_text(body, "");
  FrameWriter(4).put(Tag::error, body);
  ::_exit(0);
}

}  // namespace

namespace rootlet::examiner {

Status real_confine(Job job) __asm__("__real__ZN7rootlet8examiner7confineENS0_3JobE");
Status wrap_confine(Job job) __asm__("__wrap__ZN7rootlet8examiner7confineENS0_3JobE");

Status wrap_confine(Job job) {
  obey('!');
  Status done = real_confine(job);
  if (done.ok()) obey(':');
  return done;
}

}  // namespace rootlet::examiner
