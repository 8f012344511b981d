// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <vector>

#include "runtime/image/block_cache.hpp"
#include "runtime/os/affinity.hpp"
#include "runtime/os/futex.hpp"

struct fuse_buf;
struct fuse_session;

namespace rootlet::image {

// The threads of an image server.
//
// One listens to the kernel and answers what it hears. When an answer has to be
// decoded or waited for, it steps aside and another one listens meanwhile. A
// walk through directories never makes anyone step aside, so it is answered by
// one thread without a switch. There is one thread at the start; more come when
// questions queue or there is something to read ahead, never more than
// processors. A thread that cannot be had is done without.
class Crew {
 public:
  struct Work {
    fuse_session* session;
    BlockCache* cache;
    std::function<void()> on_idle;  // gives memory back, some seconds after the last question
    unsigned limit;                 // of threads
    void (*on_overdue)();           // a question will never be answered; in a signal handler
  };
  Crew(Work work, const os::OneProcessor& beside) : work_(std::move(work)), beside_(beside) {}

  // Answers until the file system is unmounted.
  void run();

  // The calling thread is about to decode or to wait.
  void step_aside();

  // A block that will be wanted: decoded by a thread that has nothing else to
  // do. Wanted by a question that is being answered: before all others.
  void offer(const BlockAddress& block, bool now);

  // The kernel is told to forget these listings, by a thread that does not
  // listen: it may wait for a page which waits for an answer. Where there is no
  // such thread it is not told.
  void list_anew(std::vector<std::uint64_t> directories);

 private:
  static void* thread_of(void* crew);
  void live(bool may_retire);
  void listen(fuse_buf& question);
  void park();
  bool is_asked() const;
  void tell();
  void add_thread();
  bool wake();
  void fetch(const BlockAddress& block);
  void start_clock();
  void tick();
  void end();

  Work work_;
  const os::OneProcessor& beside_;

  os::Mutex lock_;  // of the following
  bool listening_ = false;
  bool ended_ = false;
  bool retiring_ = false;
  unsigned threads_ = 1;
  unsigned parked_ = 0;
  std::array<BlockAddress, 16> offers_;
  std::size_t offered_ = 0;
  std::vector<std::uint64_t> stale_;
  bool tells_ = false;  // a thread is at them

  std::atomic<bool> ticking_{false};  // written with the lock held
  os::FutexWord woken_{0};
  std::atomic<std::uint32_t> asked_{0};
  std::uint32_t asked_before_ = 0;
};

}  // namespace rootlet::image
