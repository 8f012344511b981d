// SPDX-License-Identifier: MIT
#include "runtime/image/server.hpp"

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <csignal>
#include <cstring>

#include "runtime/image/answer_loop.hpp"
#include "runtime/image/answers.hpp"
#include "runtime/image/confine.hpp"
#include "runtime/image/squashfuse.hpp"
#include "runtime/os/process.hpp"

namespace rootlet::image {
namespace {

constexpr std::string_view kStart = "start the image server";

int reasons = -1;  // where the server says why it gives up

// Says why, then waits to be killed: were it to end at once, the tool would
// see errors from its files before the launcher could stop it.
[[noreturn]] void give_up(const char* reason) {
  if (::send(reasons, reason, std::strlen(reason), MSG_NOSIGNAL) < 0) ::_exit(1);
  char ignored;
  while (::recv(reasons, &ignored, 1, 0) > 0 || errno == EINTR) errno = 0;
  ::_exit(1);
}

// One byte and room for one descriptor, as sendmsg(2) and recvmsg(2) take them.
struct DescriptorMessage {
  DescriptorMessage() {
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
  }
  DescriptorMessage(const DescriptorMessage&) = delete;
  DescriptorMessage& operator=(const DescriptorMessage&) = delete;

  char byte = 0;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  iovec part{&byte, 1};
  msghdr header{};
};

// Takes the one message of the channel. Nothing comes: the run is over.
int receive_descriptor(int channel) {
  DescriptorMessage message;
  ssize_t got;
  do {
    got = ::recvmsg(channel, &message.header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  const cmsghdr* header = CMSG_FIRSTHDR(&message.header);
  if (got <= 0 || header == nullptr || header->cmsg_type != SCM_RIGHTS) return -1;
  int fd;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return fd;
}

// Leaves everything of the caller behind: terminal, session, directory,
// descriptors. A captured pipe must end when the tool ends, Ctrl-C is not for
// us, and a busy directory could not be unmounted.
void let_go(int image, int channel, pid_t launcher) {
  ::setsid();
  // A server that was stopped cannot see the end of its mount; SIGKILL ends it
  // all the same when the launcher dies. What if it died before this line: its
  // end of the channel is gone, and receive_descriptor() says so.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != launcher) ::_exit(0);
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  ::prctl(PR_SET_DUMPABLE, 0);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  if (::chdir("/") != 0) ::_exit(1);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd <= 2; ++fd) {
    if (null >= 0 && null != fd) ::dup2(null, fd);
  }
  os::close_all_but({0, 1, 2, image, channel});
}

}  // namespace

void serve(Squashfs& image, Owner owner, os::Fd channel, pid_t launcher,
           const os::OneProcessor& beside) {
  beside.join();
  reasons = channel.get();
  let_go(image.raw()->fd, channel.get(), launcher);
  on_image_changed([] { give_up("the image file was changed while it ran"); });

  FileReader reader(image.raw());
  Answers answers{image.raw(), &reader, owner, give_up};
  char program[] = "rootlet";
  char* arguments[] = {program, nullptr};
  fuse_args args = FUSE_ARGS_INIT(1, arguments);
  fuse_session* session =
      ::fuse_session_new(&args, &answer_table(), sizeof answer_table(), &answers);
  if (session == nullptr) give_up("libfuse has no memory");

  // libfuse takes a mounted descriptor under this name and mounts nothing. Its
  // number is told now and filled later: whatever needs other system calls is
  // done while init still makes the mount.
  const int place = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (::fuse_session_mount(session, ("/dev/fd/" + std::to_string(place)).c_str()) != 0) {
    give_up("libfuse refuses the mount");
  }
  if (!confine_server().ok()) give_up("its system calls cannot be confined");
  const int fuse = receive_descriptor(channel.get());
  if (fuse < 0 || ::dup3(fuse, place, O_CLOEXEC) < 0) ::_exit(0);
  ::close(fuse);
  answer(session, beside);
  ::_exit(0);
}

Result<Server> start_server(Squashfs& image, Owner owner, const os::OneProcessor& beside) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return last_error(kStart);
  }
  os::Fd ours(ends[0]);
  os::Fd theirs(ends[1]);
  const pid_t launcher = ::getpid();
  os::Child child = TRY(os::fork_with(0, kStart));
  if (child.pid == 0) {
    ours.reset();
    serve(image, owner, std::move(theirs), launcher, beside);
  }
  return Server{"", child.pid, std::move(child.pidfd), std::move(ours)};
}

Status hand_over(int channel, int fuse) {
  DescriptorMessage message;
  cmsghdr* header = CMSG_FIRSTHDR(&message.header);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fuse);
  std::memcpy(CMSG_DATA(header), &fuse, sizeof fuse);
  if (::sendmsg(channel, &message.header, MSG_NOSIGNAL) < 0) {
    return last_error("hand the file system to the image server");
  }
  return Done{};
}

}  // namespace rootlet::image
