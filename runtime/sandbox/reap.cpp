// SPDX-License-Identifier: MIT
#include "runtime/sandbox/reap.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>

#include <array>
#include <csignal>

#include "runtime/os/fd.hpp"
#include "runtime/sandbox/control.hpp"

namespace rootlet::sandbox {
namespace {

double seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Which signals have just come to the whole process group.
//
// Launcher, init and tool are of one process group, so Ctrl-C, or a shell's
// kill of its job, reaches the tool without help, while kill(1) of the
// launcher reaches the launcher alone. The launcher cannot tell the two apart;
// init can: what came to the group came to init too. So the launcher names
// every signal that it gets, and init passes on those that it did not get.
class GroupSignals {
 public:
  void note(const signalfd_siginfo& info) {
    if (info.ssi_signo == SIGCONT) goes_on();
    // A sender outside of our PID namespace, or the kernel, has no pid here.
    if (info.ssi_pid == 0 && info.ssi_signo < when_.size()) when_[info.ssi_signo] = seconds();
  }
  // True at most once for each; one that stayed unnamed for a second was not
  // for the group.
  bool take(int signal) {
    const auto index = static_cast<std::size_t>(signal);
    if (index >= when_.size()) return false;
    const bool recent = when_[index] > 0 && seconds() - when_[index] < 1.0;
    when_[index] = 0;
    return recent;
  }

  // The tool is told to go on, by whomever. A job that goes on as a whole is told so one
  // process after the other, and we may look before the tool has heard it: a stop that
  // still shows is the one that is over, and the launcher would stop again, for ever.
  void goes_on() { went_on_ = seconds(); }
  bool just_went_on() const { return went_on_ > 0 && seconds() - went_on_ < kMoment / 1000.0; }
  static constexpr int kMoment = 100;  // ms

 private:
  std::array<double, 65> when_{};
  double went_on_ = 0;
};

void drain(int signals, GroupSignals& group) {
  signalfd_siginfo info{};
  while (::read(signals, &info, sizeof info) == sizeof info) group.note(info);
}

// True when the tool itself has ended. `stops`: its stops are told, too.
bool collect(const Tool& tool, int control, bool stops) {
  int status = 0;
  pid_t pid = 0;
  bool ended = false;
  while ((pid = ::waitpid(-1, &status, WNOHANG | (stops ? WUNTRACED : 0))) > 0) {
    if (pid != tool.pid) continue;  // an orphan of the tool's
    const bool stopped = WIFSTOPPED(status);
    // Who speaks for it (spokesman.hpp) may still have to say why it ended.
    pollfd spoken{tool.channel.get(), 0, 0};
    if (!stopped) ::poll(&spoken, 1, 1000);
    const Message::Kind kind = stopped ? Message::Kind::stopped : Message::Kind::ended;
    (void)send_message(control, {kind, stopped ? WSTOPSIG(status) : status, "", {}});
    ended = ended || !stopped;
  }
  return ended;
}

}  // namespace

int reap(const Tool& tool, int control, bool tell_start) {
  // All were blocked before the launcher forked us. Blocked signals are kept
  // even for PID 1, which otherwise loses those that it has no handler for.
  sigset_t all;
  ::sigfillset(&all);
  const os::Fd signals(::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals.valid()) {
    (void)send_message(control, {Message::Kind::failed, 0, "", last_error("watch for signals")});
    return 1;
  }
  GroupSignals group;
  // The tool's end of the channel closes when its program starts. A process that
  // could not start one has said so before.
  pollfd events[3] = {{signals.get(), POLLIN, 0},
                      {control, POLLIN, 0},
                      {tell_start ? tool.channel.get() : -1, 0, 0}};
  while (true) {
    const int moment = group.just_went_on() ? GroupSignals::kMoment : -1;
    if (::poll(events, 3, moment) < 0 && errno != EINTR) return 1;
    std::optional<Message> message;
    if (events[1].revents != 0) {
      message = receive_message(control);
      if (!message) return 1;  // the launcher is gone, and so are we
    }
    // After the message was taken: what came to the group is here by now.
    drain(signals.get(), group);
    if (message && message->kind == Message::Kind::signal) {
      if (message->number == SIGCONT) group.goes_on();
      if (!group.take(message->number) || tool.own_group) ::kill(tool.pid, message->number);
    }
    if (events[2].revents != 0) {
      (void)send_message(control, {Message::Kind::started, 0, "", {}});
      events[2].fd = -1;
    }
    // After the last drain(), which may have taken the SIGCHLD that tells of it.
    if (collect(tool, control, !group.just_went_on())) return 0;
  }
}

}  // namespace rootlet::sandbox
