// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/os/process_tree.hpp"

namespace rootlet {

// A run of the caller's that goes on now. Nobody registers runs: the processes
// of a run are what there is to know of it.
//
// A launcher is a process of the caller's that executes our code, in our own PID namespace, with a
// child named rootlet-init that is PID 1 of a namespace one below. A tool is in a PID namespace of
// its own, so nothing that it starts can pass for a launcher; and `number` is the launcher itself,
// never a number that somebody wrote down.
struct OwnRun {
  pid_t number = -1;                 // the launcher; the RUN of ps, kill, stats and exec
  os::ProcessFacts init;             // as the host sees it
  std::string file;                  // what the launcher executes: the packed file, or rootlet
  std::vector<std::string> command;  // its command line

  double seconds() const;  // since init was started
};

std::vector<OwnRun> own_runs();  // the oldest first

// The run of this number, and a descriptor of its launcher that was taken before
// the look: whatever becomes of the number, it means the same process.
struct HeldRun {
  OwnRun run;
  os::Fd launcher;
};
Result<HeldRun> find_run(const std::string& number);

// "1234", where no such file exists: then `exec` and `shell` mean a run.
bool names_a_run(const std::string& word);

// The tree of a run, without init.
std::vector<os::ProcessFacts> processes_of(const OwnRun& run);

}  // namespace rootlet
