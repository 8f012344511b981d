// SPDX-License-Identifier: MIT
#pragma once

#include <linux/seccomp.h>

#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "launcher/learn/path_resolver.hpp"
#include "launcher/learn/prediction.hpp"
#include "launcher/learn/process_book.hpp"
#include "launcher/learn/recording.hpp"

namespace rootlet::learn {

// What becomes of a call that stopped.
// How often the result of one kind of call is looked at: the first times tell.
inline constexpr std::uint64_t kLooks = 3, kLooksAtRefusals = 3;

struct Answer {
  int error = 0;                // refused with this errno; 0: it goes on
  bool ends_process = false;    // a call by the 32-bit door
  bool watch_return = false;    // its result is worth a stop
  int predicted = 0;            // how it was thought to end
  std::vector<Tally*> tallies;  // what its result is added to
};

// From calls to a recording. Looks, and never changes what the tool sees: a call
// is refused only as the default filter would refuse it in any other run.
class Observer {
 public:
  // `filter`: the run has the default filter. `constant`: as PathResolver has it.
  Observer(Recording& recording, bool filter, bool constant);

  // A call that stopped, by the thread `notification.pid`.
  Answer see(const seccomp_notif& notification);
  // What a call with `watch_return` returned, as the kernel has it: -errno.
  void returned(const Answer& answer, long value);

  // What was seen, into the recording.
  void finish();

 private:
  struct Moment {
    const seccomp_data& call;
    pid_t tid;
    Seen& process;
    double now;
    bool refused = false;
  };

  Answer refuse(const Moment& moment, int error);
  void see_paths(const Moment& moment, Answer& answer);
  int see_path(const Moment& moment, PathArgument argument, Answer& answer);
  void see_program(const Moment& moment, const Found& found, int error);
  std::string see_interpreters(const Moment& moment, const std::string& path);
  void use_program(const Moment& moment, const std::string& path, const char* as, Where where,
                   int error);
  void see_network(const Moment& moment, Answer& answer);
  void see_address(const Moment& moment, const std::string& direction, int socket,
                   std::uint64_t address, std::uint64_t size, Answer& answer);
  void see_changes(const Moment& moment);
  std::string detail_of(const Moment& moment);
  std::string target_of(const Moment& moment, int inside);
  Tally& tally_of_call(const Moment& moment);
  void use_path(const Moment& moment, const Found& found, Access access, int error, Answer& answer);
  void count(Tally& tally, const Moment& moment, int error) const;
  std::string base_of(const Moment& moment, int directory);
  void note(const std::string& text) {
    constexpr std::size_t kMostNotes = 200;
    if (notes_.size() < kMostNotes) notes_.insert(text);
  }
  // The entry of `key`, made where it is new and there is room.
  template <typename Use>
  Use& entry(std::unordered_map<std::string, Use>& kind, const std::string& key, Use& spilled,
             const char* kinds) {
    const auto known = kind.find(key);
    if (known != kind.end()) return known->second;
    if (kind.size() < kMostOfAKind) return kind[key];
    note_limit(kinds);
    return spilled = Use{};
  }
  void note_limit(const std::string& kinds) {
    note("more than " + std::to_string(kMostOfAKind) + " different " + kinds +
         ": those that came later are not recorded, and rules made of this run may refuse them");
  }

  Recording& recording_;
  bool filter_;
  double start_;
  bool begun_ = false;
  bool traced_ = false;  // the tool traces: we must not be in its way
  ProcessBook book_;
  PathResolver resolver_;
  Prediction prediction_;
  std::vector<std::unique_ptr<CallUse>>
      plain_;  // by number, of calls without anything to tell apart
  std::unordered_map<std::string, CallUse> calls_;
  std::unordered_map<std::string, PathUse> paths_;
  std::unordered_map<std::string, ProgramUse> programs_;
  std::unordered_map<std::string, NetworkUse> network_;
  // Of what there is no room for, the last one.
  CallUse spilled_call_;
  PathUse spilled_path_;
  ProgramUse spilled_program_;
  NetworkUse spilled_network_;
  std::set<std::string> notes_;
};

// Seconds of a clock that nobody sets.
double seconds_now();

}  // namespace rootlet::learn
