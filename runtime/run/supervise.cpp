// SPDX-License-Identifier: MIT
#include "runtime/run/supervise.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>

#include <csignal>

#include "runtime/base/log.hpp"
#include "runtime/os/clock.hpp"
#include "runtime/os/parent.hpp"
#include "runtime/os/peer.hpp"
#include "runtime/run/status_report.hpp"
#include "runtime/sandbox/control.hpp"

namespace rootlet {
namespace {

using sandbox::Message;

constexpr int kLook = 1000;  // ms between two looks whether a server is stopped

// Stops this process as the tool was stopped, so that the shell sees its job
// stop; returns when it goes on.
void stop_as(int signal) {
  if (signal == SIGSTOP) {
    ::kill(::getpid(), SIGSTOP);
    return;
  }
  sigset_t only;
  ::sigemptyset(&only);
  ::sigaddset(&only, signal);
  ::kill(::getpid(), signal);
  ::sigprocmask(SIG_UNBLOCK, &only, nullptr);  // here it takes effect
  ::sigprocmask(SIG_BLOCK, &only, nullptr);
}

Error server_error(const image::Server& server, const std::string& reason) {
  return plain_error("serve the image", server.image,
                     reason.empty() ? "its server was killed" : reason,
                     "run it again; if it happens again, check the file (rootlet inspect)");
}

// What the server said before it gave up; "" when it said nothing.
std::string last_words(int channel) {
  char text[512];
  const ssize_t got = ::recv(channel, text, sizeof text, MSG_DONTWAIT);
  return got > 0 ? std::string(text, static_cast<std::size_t>(got)) : std::string();
}

class Supervisor {
 public:
  Supervisor(sandbox::Init init, std::vector<image::Server> servers, Errands errands,
             Enforcement& limits, Refusals& refusals)
      : init_(std::move(init)),
        servers_(std::move(servers)),
        watched_(servers_.size(), true),
        errands_(std::move(errands)),
        limits_(limits),
        refusals_(refusals) {}

  Result<int> run() {
    sigset_t all;
    ::sigfillset(&all);
    signals_ = os::Fd(::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_.valid()) {
      const Error error = last_error("watch for signals");
      finish();
      return error;
    }
    while (!result_ && !error_) {
      wait();
      if (!result_ && !error_) result_ = limits_.look(init_.pid);
    }
    finish();
    if (error_) return std::move(*error_);
    return *result_;
  }

 private:
  void wait() {
    std::vector<pollfd> events = {{init_.control.get(), POLLIN, 0},
                                  {signals_.get(), POLLIN, 0},
                                  {init_.errands.get(), POLLIN, 0},
                                  {refusals_.fd(), POLLIN, 0},
                                  {os::Parent::of_this_process().descriptor(), POLLIN, 0}};
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      for (const os::Fd* end : {&servers_[i].pidfd, &servers_[i].channel, &servers_[i].life}) {
        events.push_back({watched_[i] ? end->get() : -1, POLLIN, 0});
      }
    }
    if (::poll(events.data(), events.size(), moment()) <= 0) return look_at_servers();
    // Init first: when the tool has ended, the server's end is no news.
    if (events[0].revents != 0) return hear_init();
    if (events[4].revents != 0) error_ = os::Parent::end_error();
    if (events[2].revents != 0) run_errand();
    if (events[1].revents != 0) pass_signals();
    if (events[3].revents != 0) result_ = refusals_.hear(events[3].revents);
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      const pollfd* ends = &events[5 + 3 * i];
      if (ends[0].revents != 0 || ends[1].revents != 0 || ends[2].revents != 0) hear_server(i);
    }
  }

  // How long to wait at most, in poll(2)'s milliseconds.
  int moment() const {
    const int look = servers_.empty() ? -1 : kLook;
    const int limit = limits_.wait();
    return look < 0 || limit < 0 ? std::max(look, limit) : std::min(look, limit);
  }

  void run_errand() {
    const auto message = sandbox::receive_message(init_.errands.get());
    if (!message) {
      init_.errands.reset();  // init needs no more
      return;
    }
    auto done = errands_.run(static_cast<sandbox::Errand>(message->number), init_.pid);
    if (!done.ok()) {
      error_ = std::move(done).error();
      return;
    }
    // Init may be gone; that is heard of elsewhere.
    (void)sandbox::send_message(init_.errands.get(), {Message::Kind::errand, done.value(), "", {}});
  }

  // One that was stopped tells nobody, and a tool would wait for it for ever.
  // Twice: a job that is stopped and goes on as a whole does not go on at once.
  void look_at_servers() {
    if (servers_.empty() || os::monotonic_time() < next_look_) return;
    next_look_ = os::monotonic_time() + kLook;
    const image::Server* stopped = nullptr;
    for (const image::Server& server : servers_) {
      if (os::is_stopped(server.reader)) stopped = &server;
    }
    times_stopped_ = stopped != nullptr ? times_stopped_ + 1 : 0;
    if (times_stopped_ >= 2) error_ = server_error(*stopped, "its server was stopped");
  }

  void hear_server(std::size_t number) {
    const image::Server& server = servers_[number];
    const std::string reason = last_words(server.channel.get());
    if (reason.empty() && end_of(server) == End::well) {
      // Its mount went, with init: what init has said is still to be heard.
      watched_[number] = false;
    } else if (!reason.empty() || end_of(server) == End::badly) {
      error_ = server_error(server, reason);
    }
    // Else only its end of the channel is closed, and its own end comes next.
  }

  enum class End {
    none,
    well,
    badly
  };

  // A private one exits with 0 when its mount goes, and by itself never
  // otherwise. A shared one never ends before its runs.
  static End end_of(const image::Server& server) {
    if (server.shared()) return End::badly;
    siginfo_t info{};
    const auto pid = static_cast<id_t>(server.reader);
    ::waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT);
    if (info.si_pid == 0) return End::none;
    return info.si_code == CLD_EXITED && info.si_status == 0 ? End::well : End::badly;
  }

  void hear_init() {
    const auto message = sandbox::receive_message(init_.control.get());
    if (!message) {
      error_ = plain_error("run the tool", "", "its init was killed", "out of memory? dmesg tells");
      error_ = cause_of(*error_);
      return;
    }
    switch (message->kind) {
      case Message::Kind::note: StatusReport::of_this_run().note(message->text); break;
      case Message::Kind::stopped: hear_stop(message->number); break;
      case Message::Kind::ended: hear_end(message->number); break;
      case Message::Kind::failed: error_ = cause_of(message->error); break;
      case Message::Kind::started: StatusReport::of_this_run().started(); break;
      case Message::Kind::signal:
      case Message::Kind::errand: break;
    }
  }

  // A job that was stopped and goes on as a whole: we were stopped before we could
  // hear of the tool's stop, which is over by now, and our own SIGCONT waits. To
  // stop then would be for ever.
  void hear_stop(int signal) {
    if (!pass_signals()) stop_as(signal);
  }

  // A tool that lost its files may end by itself, before anyone can stop it,
  // and with a status that means something else.
  void hear_end(int status) {
    for (const image::Server& server : servers_) {
      // Its end of these closes before its /dev/fuse does, and so before the tool
      // can notice anything.
      pollfd ends[] = {{server.channel.get(), POLLIN, 0}, {server.life.get(), POLLIN, 0}};
      if (::poll(ends, 2, 0) <= 0) continue;
      const std::string reason = last_words(server.channel.get());
      pollfd ended{server.pidfd.get(), POLLIN, 0};
      if (reason.empty() && !server.shared()) ::poll(&ended, 1, 1000);
      if (reason.empty() && end_of(server) == End::well) continue;
      error_ = server_error(server, reason);
      return;
    }
    result_ = status;
  }

  // A step that failed because a server was gone blames the wrong thing.
  Error cause_of(const Error& failure) const {
    // Only these two speak of a server; it also ends, and rightly, when a
    // failed init takes the mount with it.
    const bool lost = failure.code == ENOTCONN || failure.code == ECONNABORTED;
    for (const image::Server& server : servers_) {
      const std::string reason = last_words(server.channel.get());
      if (!reason.empty()) return server_error(server, reason);
    }
    if (!lost) return failure;
    std::vector<pollfd> ends;
    for (const image::Server& server : servers_) ends.push_back({server.pidfd.get(), POLLIN, 0});
    // Its end and the failure come at the same moment, in either order.
    if (::poll(ends.data(), ends.size(), 1000) <= 0) return failure;
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      if (ends[i].revents != 0) return server_error(servers_[i], "");
    }
    return failure;
  }

  // Whether the tool goes on by one of them.
  bool pass_signals() {
    bool goes_on = false;
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
      const int number = static_cast<int>(info.ssi_signo);
      if (number == SIGCHLD) continue;
      goes_on = goes_on || number == SIGCONT;
      (void)sandbox::send_message(init_.control.get(), {Message::Kind::signal, number, "", {}});
    }
    return goes_on;
  }

  // Nothing is left when this returns: init's end ends its PID namespace, and
  // a server that is waited for is no zombie under a PID 1 that never reaps.
  // Shared ones go on, unless they are in the way of init's end.
  void finish() {
    ::kill(init_.pid, SIGKILL);  // where it is not ending by itself
    // A tool may wait for a server beyond the reach of any signal (a lookup
    // that the server has taken), and init waits for the tool: after a moment,
    // in which the tool dies without seeing an error, the server goes too.
    constexpr int kMoment = 20, kMomentOfOthers = 3000;  // ms
    pollfd ended{init_.pidfd.get(), POLLIN, 0};
    if (!servers_.empty() && ::poll(&ended, 1, kMoment) <= 0) kill_servers(false);
    if (any_shared() && ::poll(&ended, 1, kMomentOfOthers) <= 0) kill_servers(true);
    os::wait_for(init_.pid);
    errands_.end();
    kill_servers(false);
    for (const image::Server& server : servers_) {
      if (!server.shared()) os::wait_for(server.reader);
    }
  }

  bool any_shared() const {
    return std::any_of(servers_.begin(), servers_.end(),
                       [](const image::Server& server) { return server.shared(); });
  }

  // By descriptor: the number of one that is not our child may be another's.
  void kill_servers(bool shared) const {
    for (const image::Server& server : servers_) {
      if (server.shared() != shared) continue;
      ::syscall(SYS_pidfd_send_signal, server.pidfd.get(), SIGKILL, nullptr, 0);
    }
  }

  sandbox::Init init_;
  std::vector<image::Server> servers_;
  std::uint64_t next_look_ = 0;
  int times_stopped_ = 0;
  std::vector<bool> watched_;  // not when its mount is gone, and it with it, as it should
  Errands errands_;
  Enforcement& limits_;
  Refusals& refusals_;
  os::Fd signals_;
  std::optional<int> result_;
  std::optional<Error> error_;
};

}  // namespace

Result<int> supervise(sandbox::Init init, std::vector<image::Server> servers, Errands errands,
                      Enforcement& limits, Refusals& refusals) {
  return Supervisor(std::move(init), std::move(servers), std::move(errands), limits, refusals)
      .run();
}

CallerSignals block_signals() {
  CallerSignals caller;
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, &caller.mask);
  // Ignored, as it may be inherited over exec, the kernel would reap our
  // children before we learn how they ended (waitpid(2), NOTES).
  struct sigaction before {};
  ::sigaction(SIGCHLD, nullptr, &before);
  caller.ignores_children = before.sa_handler == SIG_IGN;
  ::signal(SIGCHLD, SIG_DFL);
  return caller;
}

}  // namespace rootlet
