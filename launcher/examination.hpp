// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "examiner/frames.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet {

// What rootlet-examiner is asked (examiner/jobs.hpp), and how much of an answer
// is borne.
struct Question {
  std::string job;
  std::vector<std::string> words;
  int file = -1;  // open for reading; not owned
  std::uint64_t offset = 0, length = 0;
  std::string name;                     // of the file, for messages
  std::uint64_t most_bytes = 64 << 20;  // of the answer; 0: as many as come
  int patience = 60;                    // seconds without a byte
};

// A confined child process that looks into a file of somebody else's. Whatever
// becomes of it (it dies, hangs, talks without end, talks nonsense) is an error
// here and nothing else. Ended with its owner, and with the launcher.
class Examination {
 public:
  static Result<Examination> start(Question question);
  Examination(Examination&&) noexcept;
  Examination& operator=(Examination&&) = delete;
  ~Examination();

  // The next frame; nothing: that was all. Frames of notes are kept aside.
  Result<std::optional<Frame>> next();
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  Examination(Question question, pid_t child, os::Fd answers)
      : question_(std::move(question)), child_(child), answers_(std::move(answers)) {}

  Error refused(std::string_view reason) const;
  Error dead();
  Error told(std::string_view body) const;
  Result<bool> more();
  Result<std::optional<Frame>> one();

  Question question_;
  pid_t child_ = -1;
  os::Fd answers_;
  std::string waiting_;
  std::uint64_t received_ = 0;
  std::vector<std::string> notes_;
  bool over_ = false;
};

}  // namespace rootlet
