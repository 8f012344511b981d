// SPDX-License-Identifier: MIT
#include <fcntl.h>

#include "runtime/os/parent.hpp"
#include "runtime/run/option_rows.hpp"
#include "runtime/run/run_record.hpp"
#include "runtime/run/status_report.hpp"

// The program, its environment, and what is told about the run.
namespace rootlet {
namespace {

Status set_env(Options& options, const std::string& value) {
  const std::size_t equals = value.find('=');
  if (equals == std::string::npos || equals == 0) {
    return invalid_value("env", value, "NAME=VALUE");
  }
  options.env.push_back(value);
  return Done{};
}

Status add_fd(Options& options, const std::string& value) {
  std::optional<int> number;
  TRY(set_number(number, "pass-fd", value));
  // Now, while the only descriptors are the caller's.
  if (::fcntl(*number, F_GETFD) < 0) return last_error("hand a descriptor through", value);
  options.pass_fds.push_back(*number);
  return Done{};
}

Status set_exec(Options& options, const std::string& value) {
  if (value.empty()) return invalid_value("exec", value, "PROGRAM");
  options.exec = value;
  return Done{};
}

// Now, before anything takes time in which the parent could end.
Status set_parent(Options&, const std::string& value) {
  std::optional<int> number = 0;
  if (!value.empty()) TRY(set_number(number, "die-with-parent", value));
  return os::Parent::of_this_process().watch(*number);
}

Status set_record(Options&, const std::string& value) {
  if (value.empty()) return invalid_value("record", value, "FILE|DIR/|none");
  RunRecord::of_this_run().go_to(value);
  return Done{};
}

Status set_dry_run(Options& options, const std::string& value) {
  if (!value.empty() && value != "json") return unknown_word("dry-run", value, {"json"});
  options.dry_run = true;
  options.json = value == "json";
  return Done{};
}

using O = Options;
using V = const std::string;

constexpr OptionRow kRows[] = {
    {"env", "NAME=VALUE", "set a variable inside", set_env},
    {"env-file", "FILE", "set the variables that this file names, one a line",
     [](O& o, V& v) { return add_path(o.env_files, "env-file", v); }},
    {"clean-env", "", "start with a clean environment",
     [](O& o, V&) -> Status {
       o.clean_env = true;
       return Done{};
     }},
    {"pass-env", "GLOB", "let these variables of the caller through",
     [](O& o, V& v) { return add_path(o.pass_env, "pass-env", v); }},
    {"exec", "PROGRAM", "another program of the image", set_exec},
    {"shell", "", "a shell inside (of the image)", raise<&Options::shell>, true, true},
    {"pass-fd", "N", "hand a descriptor through", add_fd, true},
    {"status-fd", "N", "tell a program about the run, in lines of JSON",
     [](O&, V& v) { return StatusReport::of_this_run().open_descriptor(v); }, true},
    {"status", "PATH", "the same to a file, a FIFO or a socket",
     [](O&, V& v) { return StatusReport::of_this_run().open_path(v); }, true},
    {"die-with-parent", "[PID]", "the run ends when the process that started it does", set_parent,
     true},
    {"record", "FILE", "write what the run was made of, and how it ended (docs/records.md)",
     set_record},
    {"record-input", "PATH", "a file or directory whose digests the record names",
     [](O&, V& v) { return add_path(RunRecord::of_this_run().inputs, "record-input", v); }, true},
    {"record-output", "PATH", "the same, when the run has ended",
     [](O&, V& v) { return add_path(RunRecord::of_this_run().outputs, "record-output", v); }, true},
    {"record-private", "", "the record tells nothing of host and user",
     [](O&, V&) -> Status {
       RunRecord::of_this_run().without_host = true;
       return Done{};
     },
     true},
    {"no-isolation", "", "run without isolation (extracts first)", raise<&Options::no_isolation>,
     true, true},
    {"best-effort", "", "go on where something asked for is not to be had",
     raise<&Options::best_effort>, true, true},
    {"dry-run", "[json]", "print the plan, run nothing", set_dry_run, true},
    {"verbose", "", "say what is done", raise<&Options::verbose>},
    {"doctor", "", "try what this host can do, run nothing", raise<&Options::doctor>, true, true},
    {"inspect", "", "what is in this file", raise<&Options::inspect>, true, true},
    {"version", "", "the version of this stub", raise<&Options::version>, true, true},
    {"help", "", "this list", raise<&Options::help>, true, true},
};

}  // namespace

std::span<const OptionRow> options_of_run() { return kRows; }

}  // namespace rootlet
