// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/base/json_text.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet {

// What is told about this run to a program that watches it: JSON, one line each
// (docs/status.md). `started` once, then `exit` or `error`. A reader that never
// reads stalls nothing: what does not fit is dropped, and the next line that
// fits says how many were.
class StatusReport {
 public:
  // Of this process, which is one run. Says nothing until it is opened.
  static StatusReport& of_this_run();

  // As the options are read, so that a mistake in a later one is told as well.
  Status open_descriptor(const std::string& number);
  Status open_path(const std::string& path);

  bool wanted() const { return fd_.valid(); }
  // What `started` and `exit` will say of the run.
  void describe(const std::string& image, const std::string& program, bool isolated);
  // Shows the user a line now, and says it in `started` too.
  void note(const std::string& line);
  void add_limit(const std::string& name) { limits_.push_back(name); }
  const std::vector<std::string>& limits() const { return limits_; }
  const std::vector<std::string>& notes() const { return notes_; }

  void started();
  // What a file of rules refused (or, not `enforced`, would have): who, what, and
  // the entry that would allow it.
  void refused(int pid, const std::string& program, const std::string& what,
               const std::string& rules, const std::string& allow, bool enforced);
  void ended(int wait_status);
  void failed(const Error& error);

 private:
  enum class Kind {
    socket,
    pipe,  // or a terminal: whatever poll(2) has an opinion on
    file
  };
  Status look_at(std::string_view subject);
  void write_line(const std::string& line);
  bool put(const std::string& line);

  os::Fd fd_;
  Kind kind_ = Kind::file;
  int dropped_ = 0;
  std::string image_, program_;
  bool isolated_ = true;
  std::vector<std::string> notes_, limits_;
};

// The last act of a launcher: prints the error where there is one, completes the
// record, reports, and ends this process as the run ended.
[[noreturn]] void end_run(const Result<int>& outcome);

}  // namespace rootlet
