// SPDX-License-Identifier: MIT
#include "launcher/learn/process_book.hpp"

#include <unistd.h>

#include <algorithm>

#include "launcher/learn/tracee.hpp"

namespace rootlet::learn {

Seen& ProcessBook::of(pid_t tid, double now) {
  const auto found = threads_.find(tid);
  Seen& process = found != threads_.end() ? *found->second : enter(tid, now);
  if (!process.executing.empty()) settle_program(process);
  return process;
}

Seen& ProcessBook::enter(pid_t tid, double now) {
  const auto facts = facts_of(tid);
  if (!facts) return unknown_;  // killed while it waited
  if (++entered_ % 1024 == 0) drop_the_dead();
  auto& process = processes_[facts->process];
  if (process) {
    ++row_of(*process).threads;
  } else {
    process = std::make_shared<Seen>();
    process->pid = facts->process;
    process->inside = facts->inside;
    full_ = recording_.processes.size() >= kMostOfAKind;
    process->row = full_ ? kMostOfAKind : recording_.processes.size();
    const auto parent = processes_.find(facts->parent);
    if (parent != processes_.end()) {
      process->parent = parent->second->inside;
      process->program = parent->second->program;
      process->own_root = parent->second->own_root;
    }
    if (!full_) {
      recording_.processes.push_back({process->inside, process->parent, now, 0, process->program});
    }
    recording_.most_processes =
        std::max(recording_.most_processes, static_cast<int>(processes_.size()));
  }
  return *(threads_[tid] = process);
}

// Whether the last execve(2) came off shows in what the process now executes.
void ProcessBook::settle_program(Seen& process) {
  if (link_of(process.pid, "exe") == process.executing_as) {
    process.program = process.executing;
    row_of(process).program = process.program;
  }
  process.executing.clear();
}

ProcessSeen& ProcessBook::row_of(const Seen& process) {
  return process.row < recording_.processes.size() ? recording_.processes[process.row] : spilled_;
}

void ProcessBook::thread_ended(pid_t tid) { threads_.erase(tid); }

void ProcessBook::process_ended(const Seen& process, double now) {
  const pid_t pid = process.pid;
  if (pid == 0) return;
  row_of(process).ended = now;
  recording_.most_memory = std::max(recording_.most_memory, peak_memory(pid));
  std::erase_if(threads_, [&](const auto& entry) { return entry.second->pid == pid; });
  processes_.erase(pid);
}

void ProcessBook::drop_the_dead() {
  std::erase_if(threads_, [](const auto& entry) {
    const auto facts = facts_of(entry.first);
    return !facts || facts->process != entry.second->pid;
  });
  std::erase_if(processes_, [](const auto& entry) { return !facts_of(entry.first); });
}

const std::string& ProcessBook::directory_of(Seen& process) {
  if (process.cwd.empty()) process.cwd = link_of(process.pid, "cwd");
  if (process.cwd.empty()) process.cwd = "/";
  return process.cwd;
}

bool ProcessBook::is_child(const Seen& process, int inside) const {
  return std::any_of(processes_.begin(), processes_.end(), [&](const auto& entry) {
    return entry.second->inside == inside && entry.second->parent == process.inside;
  });
}

}  // namespace rootlet::learn
