// SPDX-License-Identifier: MIT
#include "runtime/image/server.hpp"

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <csignal>
#include <cstring>

#include "runtime/image/answer_loop.hpp"
#include "runtime/image/confine.hpp"
#include "runtime/image/squashfuse.hpp"
#include "runtime/image/tally.hpp"
#include "runtime/os/process.hpp"
#include "runtime/os/socket.hpp"

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

// Takes the one message of the channel. Nothing comes: the run is over.
int receive_descriptor(int channel) {
  auto message = os::receive_message(channel, 1, kStart);
  if (!message.ok() || message.value().descriptors.empty()) return -1;
  return message.value().descriptors[0].release();
}

}  // namespace

int lift(int fd) {
  constexpr int kHigh = 200;
  const int high = ::fcntl(fd, F_DUPFD_CLOEXEC, kHigh);
  if (high < 0) return fd;  // RLIMIT_NOFILE is lower
  ::close(fd);
  return high;
}

void serve(Squashfs& image, Owner owner, int channel, pid_t parent,
           const os::OneProcessor& beside) {
  // A server that was stopped cannot see the end of its mount; SIGKILL ends it
  // all the same when its parent dies. What if it died before this line: its
  // end of the channel is gone, and receive_descriptor() says so.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);
  reasons = channel = lift(channel);
  on_image_changed([] { give_up("the image file was changed while it ran"); });

  on_image_damaged([](const std::string& what) { give_up(what.c_str()); });

  Answers answers(image.raw(), owner, give_up);
  fuse_session* session = new_session(answers);
  if (session == nullptr) give_up("libfuse has no memory");

  // libfuse takes a mounted descriptor under this name and mounts nothing. Its
  // number is told now and filled later: whatever needs other system calls is
  // done while init still makes the mount.
  const int place = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
  if (::fuse_session_mount(session, ("/dev/fd/" + std::to_string(place)).c_str()) != 0) {
    give_up("libfuse refuses the mount");
  }
  if (!confine_reader().ok()) give_up("it cannot be confined");
  // Until here beside the launcher and init, now where they will wait for its answers.
  beside.join();
  const int fuse = receive_descriptor(channel);
  if (fuse < 0 || ::dup3(fuse, place, O_CLOEXEC) < 0) ::_exit(0);
  ::close(fuse);
  answer(session, answers, beside);
  ::_exit(0);
}

Result<Server> start_server(Squashfs& image, Owner owner, const os::OneProcessor& beside,
                            bool counted) {
  auto [ours, theirs] = TRY(os::socket_pair(kStart));
  const pid_t launcher = ::getpid();
  os::Fd tally = counted ? make_tally() : os::Fd();
  os::Child child = TRY(os::fork_with(0, kStart));
  if (child.pid == 0) {
    count_into(tally);
    let_go("rootlet-reader", {image.raw()->fd, theirs.get()});
    serve(image, owner, theirs.get(), launcher, beside);
  }
  return Server{"", child.pid, std::move(child.pidfd), std::move(ours), {}, {}, std::move(tally)};
}

Status hand_over(int channel, int fuse) {
  return os::send_message(channel, "f", {fuse}, "hand the file system to the image server");
}

}  // namespace rootlet::image
