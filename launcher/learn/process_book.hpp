// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <unordered_map>

#include "launcher/learn/recording.hpp"

namespace rootlet::learn {

// A process of the tool's tree, while it lives.
struct Seen {
  pid_t pid = 0;        // as the watcher sees it
  int inside = 0;       // as the tool does
  int parent = 0;       // inside
  std::size_t row = 0;  // in Recording::processes; beyond its end: not recorded
  std::string program;
  std::string cwd;           // where it was looked up since the last chdir(2)
  bool own_root = false;     // it, or one that it descends from, has changed its root
  std::string executing;     // the program of an execve(2) that is not known to have come off
  std::string executing_as;  // what /proc/PID/exe links to if it has
};

// Whose thread stops, and what is known of it. A number is given again after its
// thread has ended; ends are seen but for those by a signal, so now and then the book
// is compared with what is there.
class ProcessBook {
 public:
  explicit ProcessBook(Recording& recording) : recording_(recording) {}

  Seen& of(pid_t tid, double now);
  void thread_ended(pid_t tid);
  void process_ended(const Seen& process, double now);

  // The directory that its relative paths begin at.
  const std::string& directory_of(Seen& process);
  bool is_child(const Seen& process, int inside) const;
  bool has_parent(const Seen& process, int inside) const { return process.parent == inside; }
  // There was no room for all of them in the recording.
  bool is_full() const { return full_; }

 private:
  Seen& enter(pid_t tid, double now);
  void settle_program(Seen& process);
  void drop_the_dead();
  ProcessSeen& row_of(const Seen& process);

  Recording& recording_;
  std::unordered_map<pid_t, std::shared_ptr<Seen>> threads_;
  std::unordered_map<pid_t, std::shared_ptr<Seen>> processes_;
  Seen unknown_;
  ProcessSeen spilled_;
  bool full_ = false;
  unsigned entered_ = 0;
};

}  // namespace rootlet::learn
