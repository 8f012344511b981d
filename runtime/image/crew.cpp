// SPDX-License-Identifier: MIT
#include "runtime/image/crew.hpp"

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>
#include <poll.h>
#include <pthread.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <mutex>

#include "runtime/image/overdue.hpp"
#include "runtime/image/workspace.hpp"

namespace rootlet::image {
namespace {

// The first questions come from init and from the tool's start, one after the
// other; what comes later may come from many processors.
constexpr std::uint32_t kFirst = 64;
// Between two looks whether anything was asked. Idle memory is back after two.
constexpr time_t kTick = 2;  // seconds
// zstd and liblzma keep their working memory elsewhere.
constexpr std::size_t kStack = 256u << 10;

// What the calling thread is doing: true while no other may listen.
thread_local bool listens = false;

std::atomic<bool> tick_is_due{false};
void (*on_overdue)() = nullptr;

void tick_every(time_t seconds) {
  const itimerval interval{{seconds, 0}, {seconds, 0}};
  ::setitimer(ITIMER_REAL, &interval, nullptr);
}

}  // namespace

void Crew::run() {
  // A signal is the one clock that costs nothing while questions come: it ends
  // the wait for them.
  struct sigaction action {};
  on_overdue = work_.on_overdue;
  action.sa_handler = [](int) {
    tick_is_due = true;
    if (is_overdue()) on_overdue();
  };
  ::sigaction(SIGALRM, &action, nullptr);
  sigset_t alarm;
  ::sigemptyset(&alarm);
  ::sigaddset(&alarm, SIGALRM);
  ::sigprocmask(SIG_UNBLOCK, &alarm, nullptr);
  live(false);
}

void* Crew::thread_of(void* crew) {
  auto* self = static_cast<Crew*>(crew);
  self->live(true);
  Workspace::mine().release();
  leave_overdue();
  return nullptr;
}

void Crew::live(bool may_retire) {
  fuse_buf question{};  // libfuse makes room for the largest; all but writes take a page of it
  lock_.lock();
  while (!ended_) {
    if (!listening_) {
      listening_ = true;
      lock_.unlock();
      listen(question);
      lock_.lock();
    } else if (offered_ > 0) {
      const BlockAddress block = offers_[0];
      std::copy(offers_.begin() + 1, offers_.begin() + offered_, offers_.begin());
      --offered_;
      lock_.unlock();
      fetch(block);
      lock_.lock();
    } else if (!stale_.empty() && !tells_) {
      tell();
    } else if (retiring_ && may_retire) {
      break;
    } else {
      park();
    }
  }
  --threads_;
  lock_.unlock();
  std::free(question.mem);
}

void Crew::fetch(const BlockAddress& block) {
  const Busy busy;
  work_.cache->fetch(block);
}

// With the lock held, which is let go meanwhile.
void Crew::tell() {
  tells_ = true;
  std::vector<std::uint64_t> directories;
  directories.swap(stale_);
  lock_.unlock();
  for (const std::uint64_t directory : directories) {
    ::fuse_lowlevel_notify_inval_inode(work_.session, directory, 0, 0);
  }
  lock_.lock();
  tells_ = false;
}

void Crew::list_anew(std::vector<std::uint64_t> directories) {
  bool more = false;
  {
    const std::lock_guard hold(lock_);
    if (work_.limit == 1) return;
    stale_.swap(directories);
    more = !wake() && threads_ < work_.limit;
  }
  if (more) add_thread();
}

// With the lock held.
void Crew::park() {
  const std::uint32_t seen = woken_;
  if (retiring_) Workspace::mine().release();
  ++parked_;
  lock_.unlock();
  os::wait_while(woken_, seen);
  if (tick_is_due.exchange(false)) tick();
  lock_.lock();
  --parked_;
}

void Crew::listen(fuse_buf& question) {
  listens = true;
  while (listens) {
    const int got = ::fuse_session_receive_buf(work_.session, &question);
    if (tick_is_due.exchange(false)) tick();
    if (got == -EINTR) continue;
    if (got <= 0 || ::fuse_session_exited(work_.session) != 0) {
      end();
      break;
    }
    if (asked_.fetch_add(1) == kFirst) beside_.leave();
    if (!ticking_) start_clock();
    const Busy busy;
    ::fuse_session_process_buf(work_.session, &question);
  }
}

// Cold: what is seldom done is to be small code.
[[gnu::cold]] void Crew::start_clock() {
  const std::lock_guard hold(lock_);
  if (!ticking_) tick_every(kTick);
  ticking_ = true;
}

void Crew::end() {
  const std::lock_guard hold(lock_);
  ended_ = true;
  ++woken_;
  os::wake_all(woken_);
}

void Crew::step_aside() {
  if (!listens) return;
  listens = false;
  bool more = false;
  {
    const std::lock_guard hold(lock_);
    listening_ = false;
    more = !wake() && threads_ < work_.limit;
  }
  if (more && is_asked()) add_thread();
}

// A question waits already.
bool Crew::is_asked() const {
  pollfd queue{::fuse_session_fd(work_.session), POLLIN, 0};
  return ::poll(&queue, 1, 0) == 1 && (queue.revents & POLLIN) != 0;
}

void Crew::offer(const BlockAddress& block, bool now) {
  bool more = false;
  {
    const std::lock_guard hold(lock_);
    if (offered_ == offers_.size()) return;
    if (parked_ == 0 && threads_ == work_.limit && threads_ == 1) return;  // nobody would come
    if (now) {
      std::copy_backward(offers_.begin(), offers_.begin() + offered_,
                         offers_.begin() + offered_ + 1);
      offers_[0] = block;
    } else {
      offers_[offered_] = block;
    }
    ++offered_;
    more = !wake() && threads_ < work_.limit;
  }
  if (more) add_thread();
}

// With the lock held. False: all are at work.
bool Crew::wake() {
  if (parked_ == 0) return false;
  ++woken_;
  os::wake_one(woken_);
  return true;
}

[[gnu::cold]] void Crew::add_thread() {
  beside_.leave();
  {
    const std::lock_guard hold(lock_);
    cpu_set_t allowed;
    if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
      work_.limit = std::min(work_.limit, static_cast<unsigned>(CPU_COUNT(&allowed)));
    }
    if (threads_ >= work_.limit) return;
    ++threads_;
    retiring_ = false;
  }
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  ::pthread_attr_setstacksize(&attributes, kStack);
  pthread_t thread;
  if (::pthread_create(&thread, &attributes, thread_of, this) == 0) return;
  const std::lock_guard hold(lock_);
  work_.limit = --threads_;  // so many are allowed, and no more
}

// Called every kTick seconds while there are questions.
[[gnu::cold]] void Crew::tick() {
  if (asked_ != asked_before_ || is_somebody_busy()) {
    asked_before_ = asked_;
    return;
  }
  {
    const std::lock_guard hold(lock_);
    tick_every(0);
    ticking_ = false;
    retiring_ = true;
    ++woken_;
    os::wake_all(woken_);
  }
  if (asked_ != asked_before_) start_clock();  // who asked meanwhile may have seen it run
  Workspace::mine().release();
  work_.on_idle();
}

}  // namespace rootlet::image
