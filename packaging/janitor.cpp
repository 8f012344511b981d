// SPDX-License-Identifier: MIT
#include "packaging/janitor.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>

#include "runtime/os/process.hpp"

namespace rootlet::packaging {
namespace {

// For the signal handler, which may only use what needs no lock.
struct Watching {
  std::atomic<int> life{-1};
  std::atomic<pid_t> pid{-1};
};
std::array<Watching, 8> watching;
std::atomic<pid_t> group_to_end{0};

void end_after_cleaning(int signal) {
  if (const pid_t group = group_to_end; group > 0) ::kill(-group, SIGKILL);
  for (Watching& one : watching) {
    if (one.pid < 0) continue;
    ::close(one.life);
    while (::waitpid(one.pid, nullptr, 0) < 0 && errno == EINTR) continue;
  }
  // SA_RESETHAND: this time it ends us, as the caller expects of the signal.
  ::raise(signal);
}

void clean_on_signals() {
  struct sigaction action {};
  action.sa_handler = end_after_cleaning;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    // An ignored signal (nohup) stays ignored.
    if (::sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    ::sigaction(signal, &action, nullptr);
  }
}

// The other process. It keeps none of the caller's streams, or whoever reads
// our output would wait for it; and no other janitor's life.
[[noreturn]] void wait_and_clean(int end, const std::function<void()>& clean) {
  ::setsid();  // Ctrl-C is for us, not for it
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_IGN);
  for (const Watching& other : watching) {
    if (other.life >= 0) ::close(other.life);
  }
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int stream : {0, 1, 2}) ::dup2(null, stream);
  char byte = 0;
  while (::read(end, &byte, 1) < 0 && errno == EINTR) continue;
  clean();
  ::_exit(0);
}

}  // namespace

Result<Janitor> Janitor::watch(const std::function<void()>& clean) {
  auto pipe = TRY(os::make_pipe("watch over what is to be removed"));
  Watching* place = nullptr;
  for (Watching& one : watching) {
    if (one.pid < 0 && place == nullptr) place = &one;
  }
  if (place == nullptr) std::abort();  // more scratch places than any source needs
  // No signal between the fork and the moment the handler knows of it.
  sigset_t all, before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, &before);
  const pid_t pid = ::fork();
  if (pid == 0) {
    pipe.second.reset();
    wait_and_clean(pipe.first.get(), clean);
  }
  const int code = errno;
  Janitor janitor;
  if (pid > 0) {
    place->life = pipe.second.get();
    place->pid = pid;
    janitor.life_ = std::move(pipe.second);
    janitor.pid_ = pid;
    clean_on_signals();
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return Error{code, "start a process", "", "", ""};
  return janitor;
}

Janitor::Janitor(Janitor&& other) noexcept
    : life_(std::move(other.life_)), pid_(std::exchange(other.pid_, -1)) {}

Janitor& Janitor::operator=(Janitor&& other) noexcept {
  dismiss();
  life_ = std::move(other.life_);
  pid_ = std::exchange(other.pid_, -1);
  return *this;
}

void Janitor::dismiss() {
  if (pid_ < 0) return;
  const int saved = errno;
  for (Watching& one : watching) {
    if (one.pid != pid_) continue;
    one.pid = -1;
    one.life = -1;
  }
  life_.reset();
  os::wait_for(pid_);
  pid_ = -1;
  errno = saved;
}

void set_group_to_end(pid_t group) { group_to_end = group; }

}  // namespace rootlet::packaging
