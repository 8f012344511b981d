// SPDX-License-Identifier: MIT
#pragma once

#include <ctime>
#include <string>
#include <vector>

#include "runtime/base/json_text.hpp"
#include "runtime/run/enforcement.hpp"
#include "runtime/run/reach.hpp"
#include "runtime/run/record_file.hpp"

namespace rootlet {

// What a run was made of, and what became of it, for those who ask later: one
// JSON object in a file (docs/records.md). It is written before the first process
// of the tool is forked, and completed by the launcher's last act; what a SIGKILL
// of the launcher leaves says "state": "running".
class RunRecord {
 public:
  // Of this process, which is one run. Writes nothing until it is sent somewhere.
  static RunRecord& of_this_run();

  // As the options are read, so that a mistake in a later one is recorded as
  // well. "none": nowhere.
  void go_to(const std::string& where);
  void forget() { where_.clear(); }
  bool is_wanted() const { return !where_.empty(); }
  // Files and directories whose digests are wanted, beside those that the options
  // `input` and `output` name.
  std::vector<std::string> inputs, outputs;
  // What a watcher saw the run read beside those; read at its end.
  std::vector<std::string> found_inputs;
  bool without_host = false;  // nothing of host and user
  std::string release;        // that the image was found by, as JSON

  struct Facts {
    const Options& options;
    const Subject& subject;
    const Caller& caller;
    Source& root;
    const std::vector<RunImage>& images;  // the root's first, where it is one
    const sandbox::Plan* plan;            // none without isolation
  };
  // Reads the inputs, and writes what is known. Errors: it cannot be written there.
  Status begin(const Facts& facts);
  // Whose reads are counted: one for each image of begin() that has a server.
  void watch(const std::vector<image::Server>& servers);
  void used(const Enforcement& limits) { peak_memory_ = limits.peak_memory(); }
  // Reads the outputs, and completes the record. What fails here is a line for
  // the user, and no other end of the run.
  void end(const Result<int>& outcome, const std::vector<std::string>& limits_met);

 private:
  Status open();
  void tell_inputs(const Facts& facts);
  void tell_outcome(JsonText& json, const Result<int>& outcome,
                    const std::vector<std::string>& limits_met) const;
  std::string shown(const std::string& path) const;

  std::string where_, id_, home_, directory_;
  timespec start_{};
  JsonText json_;  // as long as the run goes on, not closed
  RecordFile file_;
  std::vector<int> tallies_;         // of the servers, for as long as this process lives
  std::vector<std::size_t> before_;  // what they said at the start
  bool standard_output_ = false;     // goes to a file, from its beginning
  std::uint64_t peak_memory_ = 0;
};

}  // namespace rootlet
