// SPDX-License-Identifier: MIT
#include "launcher/learn/watcher.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <csignal>
#include <cstring>

#include "launcher/learn/image_listing.hpp"
#include "launcher/learn/observer.hpp"
#include "launcher/learn/return_value.hpp"
#include "runtime/os/capabilities.hpp"
#include "runtime/os/socket.hpp"

// Newer than the headers of Debian 12.
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

namespace rootlet::learn {
namespace {

constexpr std::string_view kWatch = "watch the tool";

// What carries the listener out of the tool's process. Its address is let through by
// the filter, and the same in the process that sends it.
struct Carrier {
  msghdr message{};
  iovec text{};
  char byte = 'l';
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};

  void prepare() {
    text = {&byte, 1};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
  }
  void put(int fd) { std::memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &fd, sizeof fd); }
};
Carrier carrier;
Detail wanted_detail = Detail::all;

// In the tool's process. Between the two calls that are here nothing may be called.
Status be_watched(const sandbox::Plan& plan) {
  const std::vector<sock_filter> program =
      watch_filter(wanted_detail, reinterpret_cast<std::uint64_t>(&carrier.message));
  const sock_fprog filter{static_cast<unsigned short>(program.size()),
                          const_cast<sock_filter*>(program.data())};
  carrier.prepare();
  constexpr unsigned long kFlags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
  // With it a signal does not break off a call that the watcher has taken (Linux 5.19).
  long listener = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                            kFlags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &filter);
  if (listener < 0 && errno == EINVAL) {
    listener = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, kFlags, &filter);
  }
  if (listener < 0) {
    return last_error(kWatch, "", "seccomp's user notification is needed (Linux 5.5)");
  }
  carrier.put(static_cast<int>(listener));
  if (::syscall(SYS_sendmsg, plan.watcher, &carrier.message, MSG_NOSIGNAL) < 0) ::_exit(125);
  return Done{};
}

volatile sig_atomic_t over = 0;

// What the launcher says when the run is over; a call that waits ends with EINTR.
void listen_for_the_end() {
  struct sigaction action {};
  action.sa_handler = [](int) { over = 1; };
  ::sigaction(SIGUSR1, &action, nullptr);
  sigset_t only;
  ::sigemptyset(&only);
  ::sigaddset(&only, SIGUSR1);
  ::sigprocmask(SIG_UNBLOCK, &only, nullptr);
}

void let_go_of_the_caller() {
  ::prctl(PR_SET_NAME, "rootlet-watcher");
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int fd : {0, 1, 2}) ::dup2(null, fd);
  ::setsid();
  if (::chdir("/") != 0) ::_exit(1);
}

// Nothing where the tool never came so far.
os::Fd take_listener(int socket) {
  while (over == 0) {
    auto message = os::receive_message(socket, 1, kWatch);
    if (!message.ok()) continue;  // EINTR
    if (message.value().descriptors.empty()) return os::Fd();
    return std::move(message.value().descriptors.front());
  }
  return os::Fd();
}

// One call after the other, until nobody is left who makes any.
class Loop {
 public:
  Loop(int listener, Observer& observer, std::vector<std::string>* files)
      : listener_(listener), observer_(observer), files_(files) {
    // The tool wakes us, and we it, on the processor that it runs on (Linux 6.6).
    ::ioctl(listener_, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
  }

  void run() {
    while (true) {
      std::memset(&call_, 0, sizeof call_);
      if (::ioctl(listener_, SECCOMP_IOCTL_NOTIF_RECV, &call_.notification) == 0) {
        answer(call_.notification);
      } else if (errno == ENOENT ? is_over() : errno != EINTR || over != 0) {
        return;
      }
    }
  }

 private:
  // ENOENT also means that who called was killed before we looked.
  bool is_over() const {
    pollfd end{listener_, 0, 0};
    return over != 0 || (::poll(&end, 1, 0) > 0 && (end.revents & POLLHUP) != 0);
  }

  void answer(const seccomp_notif& notification) {
    // At the first call, while there is somebody to show the root.
    if (files_ != nullptr) *files_ = list_image(static_cast<pid_t>(notification.pid));
    files_ = nullptr;
    const Answer answer = observer_.see(notification);
    const auto tid = static_cast<pid_t>(notification.pid);
    if (answer.ends_process) ::kill(tid, SIGKILL);
    seccomp_notif_resp response{};
    response.id = notification.id;
    response.error = -answer.error;
    if (answer.error == 0) response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    if (!answer.watch_return) {
      ::ioctl(listener_, SECCOMP_IOCTL_NOTIF_SEND, &response);
      return;
    }
    ReturnValue value(tid);
    ::ioctl(listener_, SECCOMP_IOCTL_NOTIF_SEND, &response);
    if (const auto returned = std::move(value).wait()) observer_.returned(answer, *returned);
  }

  int listener_;
  Observer& observer_;
  std::vector<std::string>* files_;
  union {
    seccomp_notif notification;
    char room[512];  // a later kernel may say more
  } call_;
};

// What of the plan the watcher goes by.
struct Wanted {
  bool filter, constant, list;
};

int watch(Recording recording, int socket, int memory, const Wanted& wanted) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_DUMPABLE, 0);  // where the tool sees the host's processes
  listen_for_the_end();
  let_go_of_the_caller();
  os::close_all_but({0, 1, 2, socket, memory});
  os::Fd listener = take_listener(socket);
  Observer observer(recording, wanted.filter, wanted.constant);
  auto* files = wanted.list ? &recording.image_files : nullptr;
  if (listener.valid()) Loop(listener.get(), observer, files).run();
  observer.finish();
  const std::string text = write_recording(recording);
  return os::write_all(memory, text, kWatch).ok() ? 0 : 1;
}

}  // namespace

Result<Watcher> Watcher::start(sandbox::Plan& plan, Recording recording, Detail detail, bool list) {
  Watcher watcher;
  wanted_detail = detail;
  watcher.memory_ = os::Fd(::memfd_create("recording", MFD_CLOEXEC));
  if (!watcher.memory_.valid()) return last_error(kWatch);
  auto [ours, theirs] = TRY(os::socket_pair(kWatch));
  const Wanted wanted{plan.filter, !plan.overlay && !plan.root_writable, list};
  const pid_t launcher = ::getpid();
  watcher.process_ = TRY(os::fork_with(0, kWatch));
  if (watcher.process_.pid == 0) {
    theirs.reset();
    if (::getppid() != launcher) ::_exit(1);
    ::_exit(watch(std::move(recording), ours.get(), watcher.memory_.get(), wanted));
  }
  plan.filter = false;  // the watcher answers as it would
  plan.watcher = theirs.release();
  plan.be_watched = be_watched;
  return watcher;
}

Result<Recording> Watcher::finish() {
  constexpr int kMoment = 20;  // ms; it may be between two looks at whether all is over
  pollfd ended{process_.pidfd.get(), POLLIN, 0};
  do {
    ::syscall(SYS_pidfd_send_signal, process_.pidfd.get(), SIGUSR1, nullptr, 0);
  } while (::poll(&ended, 1, kMoment) == 0);
  const int status = os::wait_for(process_.pid);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return plain_error(kWatch, "", "its watcher was killed", "what it saw is lost; learn again");
  }
  const auto size = static_cast<std::size_t>(::lseek(memory_.get(), 0, SEEK_END));
  std::string text(size, '\0');
  if (::pread(memory_.get(), text.data(), size, 0) != static_cast<ssize_t>(size)) {
    return last_error(kWatch, "what was seen");
  }
  return parse_recording(text, "what was seen");
}

}  // namespace rootlet::learn
