// SPDX-License-Identifier: MIT
#include "launcher/learn/observer.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "launcher/learn/tracee.hpp"
#include "launcher/learn/watch_filter.hpp"
#include "runtime/sandbox/filter_rules.hpp"
#include "runtime/sandbox/seccomp.hpp"

namespace rootlet::learn {
namespace {

constexpr std::size_t kMostCalls = 512;

// Their result says what the tool was allowed; none of them waits for anybody.
bool tells_by_its_result(int number) {
  switch (number) {
    case __NR_socket:
    case __NR_socketpair:
    case __NR_connect:
    case __NR_bind:
    case __NR_listen:
    case __NR_kill:
    case __NR_tkill:
    case __NR_tgkill:
    case __NR_prctl:
    case __NR_mount:
    case __NR_umount2:
    case __NR_pivot_root:
    case __NR_chroot:
    case __NR_unshare:
    case __NR_setns:
    case __NR_setuid:
    case __NR_setgid:
    case __NR_setresuid:
    case __NR_setresgid:
    case __NR_setgroups:
    case __NR_capset:
    case __NR_personality:
    case __NR_seccomp:
    case __NR_prlimit64:
    case __NR_setrlimit:
    case __NR_sethostname:
    case __NR_process_vm_readv:
    case __NR_process_vm_writev:
    case __NR_mlock:
    case __NR_mlockall:
    case __NR_sched_setscheduler:
    case __NR_sched_setaffinity:
    case __NR_shmget:
    case __NR_memfd_create: return true;
    default: return false;
  }
}

std::string key_of(const std::string& name, const std::vector<Argument>& arguments,
                   const std::string& detail) {
  std::string key = name;
  for (const Argument& argument : arguments) {
    key += '\n';
    key += std::to_string(argument.value);
  }
  return detail.empty() ? key : key + "\n" + detail;
}

}  // namespace

double seconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

Observer::Observer(Recording& recording, bool filter, bool constant)
    : recording_(recording),
      filter_(filter),
      start_(seconds_now()),
      book_(recording),
      resolver_(recording.setting, constant),
      plain_(kMostCalls) {}

void Observer::count(Tally& tally, const Moment& moment, int error) const {
  if (tally.count++ == 0) {
    tally.first = {moment.now, moment.process.inside, moment.process.program};
  }
  if (error != 0) ++tally.errors[error].predicted;
}

Tally& Observer::tally_of_call(const Moment& moment) {
  const int number = moment.call.nr;
  std::vector<Argument> arguments = deciding_arguments(moment.call);
  std::string detail = moment.refused ? kRefused : detail_of(moment);
  std::uint64_t flags = 0;
  if (number == __NR_clone3 && bytes_at(moment.tid, moment.call.args[0], &flags, sizeof flags)) {
    arguments = clone_arguments(flags);
  }
  if (arguments.empty() && detail.empty() && number >= 0 &&
      static_cast<std::size_t>(number) < kMostCalls) {
    auto& use = plain_[static_cast<std::size_t>(number)];
    if (!use) use = std::make_unique<CallUse>(CallUse{call_name(number), {}, {}, {}});
    return use->tally;
  }
  const std::string& name = call_name(number);
  CallUse& use =
      entry(calls_, key_of(name, arguments, detail), spilled_call_, "calls with their arguments");
  if (use.tally.count == 0) use = {name, std::move(arguments), std::move(detail), {}};
  return use.tally;
}

// What is refused in every run, and would not stop here but for us.
Answer Observer::refuse(const Moment& moment, int error) {
  Tally& tally = tally_of_call({moment.call, moment.tid, moment.process, moment.now, true});
  count(tally, moment, 0);
  ++tally.errors[error].exact;
  return {error};
}

Answer Observer::see(const seccomp_notif& notification) {
  const double now = seconds_now() - start_;
  const auto tid = static_cast<pid_t>(notification.pid);
  if (!begun_) resolver_.begin(tid);
  begun_ = true;
  ++recording_.calls;
  Moment moment{notification.data, tid, book_.of(tid, now), now};
  if (notification.data.arch != sandbox::kArchitecture) {
    note(moment.process.program + " made a system call by the 32-bit door: refused, and ended");
    return {EPERM, true};
  }
  if (filter_) {
    const std::uint32_t said = verdict(sandbox::default_filter(), notification.data);
    if ((said & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO) {
      if (call_name(notification.data.nr).starts_with("io_uring")) {
        note("io_uring was asked for, and refused as in every run: its requests pass all filters");
      }
      return refuse(moment, static_cast<int>(said & SECCOMP_RET_DATA));
    }
  }
  Answer answer;
  see_paths(moment, answer);
  see_network(moment, answer);
  Tally& tally = tally_of_call(moment);
  count(tally, moment, answer.predicted);
  answer.tallies.push_back(&tally);
  if (tells_by_its_result(notification.data.nr) && tally.count <= kLooks)
    answer.watch_return = true;
  see_changes(moment);  // last: at its end a process is forgotten
  if (traced_) answer.watch_return = false;
  return answer;
}

void Observer::returned(const Answer& answer, long value) {
  constexpr long kRestarts = 512, kLastRestart = 516;  // ERESTARTSYS and its kin
  const bool restarts = -value >= kRestarts && -value <= kLastRestart;
  const bool failed = value < 0 && value > -4096;
  for (Tally* tally : answer.tallies) {
    if (answer.predicted != 0) {
      auto& ending = tally->errors[answer.predicted];
      if (ending.predicted > 0) --ending.predicted;
      if (ending.predicted + ending.exact == 0) tally->errors.erase(answer.predicted);
    }
    if (restarts) {
      --tally->count;  // it comes again
    } else if (failed) {
      ++tally->errors[static_cast<int>(-value)].exact;
    }
  }
}

// What changes how later calls are to be read.
void Observer::see_changes(const Moment& moment) {
  switch (moment.call.nr) {
    case __NR_chdir:
    case __NR_fchdir: moment.process.cwd.clear(); break;
    case __NR_chroot:
    case __NR_pivot_root: moment.process.own_root = true; break;
    case __NR_unshare:
      if (moment.call.args[0] & CLONE_NEWNS) moment.process.own_root = true;
      break;
    case __NR_setns: moment.process.own_root = true; break;
    case __NR_exit: book_.thread_ended(moment.tid); break;
    case __NR_exit_group: book_.process_ended(moment.process, moment.now); break;
    case __NR_ptrace:
      traced_ = true;
      note(moment.process.program +
           " traces (ptrace): from then on results are predicted, not seen");
      break;
    case __NR_prctl:
      if (moment.call.args[0] != PR_SET_SECCOMP) break;
      [[fallthrough]];
    case __NR_seccomp:
      note(moment.process.program +
           " uses seccomp itself: what its own filter refuses is not seen, and a listener of its "
           "own is refused (EBUSY) while we watch");
      break;
    default: break;
  }
}

std::string Observer::target_of(const Moment& moment, int inside) {
  if (inside == 0) return "its process group";
  if (inside == -1) return "all";
  if (inside < 0) return "a process group";
  if (inside == moment.process.inside) return "itself";
  if (book_.is_child(moment.process, inside)) return "its child";
  if (book_.has_parent(moment.process, inside)) return "its parent";
  return "another";
}

std::string Observer::detail_of(const Moment& moment) {
  const auto* args = moment.call.args;
  const auto low = [&](int index) { return static_cast<std::uint32_t>(args[index]); };
  switch (moment.call.nr) {
#ifdef __NR_open
    case __NR_open: return open_flags_name(low(1));
#endif
    case __NR_openat: return open_flags_name(low(2));
    case __NR_clone: return clone_flags_name(args[0]);
    case __NR_clone3: {
      std::uint64_t flags = 0;
      return bytes_at(moment.tid, args[0], &flags, sizeof flags) ? clone_flags_name(flags) : "?";
    }
    case __NR_mmap:
      if (!(args[2] & PROT_EXEC)) return "";
      return args[3] & MAP_ANONYMOUS ? "of memory" : "of a file";
    case __NR_socket: return args[2] == 0 ? "" : "protocol " + std::to_string(low(2));
    case __NR_kill:
    case __NR_tkill:
      return signal_name(low(1)) + " to " + target_of(moment, static_cast<int>(args[0]));
    case __NR_tgkill:
      return signal_name(low(2)) + " to " + target_of(moment, static_cast<int>(args[0]));
    case __NR_pidfd_send_signal: return signal_name(low(1)) + " by descriptor";
    default: return "";
  }
}

void Observer::finish() {
  for (const auto& use : plain_) {
    if (use) recording_.calls_used.push_back(*use);
  }
  for (auto& [key, use] : calls_) recording_.calls_used.push_back(use);
  for (auto& [key, use] : paths_) recording_.paths.push_back(use);
  for (auto& [key, use] : programs_) recording_.programs.push_back(use);
  for (auto& [key, use] : network_) recording_.network.push_back(use);
  if (book_.is_full()) note_limit("processes");
  recording_.notes.assign(notes_.begin(), notes_.end());
  recording_.seconds = seconds_now() - start_;
}

}  // namespace rootlet::learn
