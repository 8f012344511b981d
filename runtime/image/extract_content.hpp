// SPDX-License-Identifier: MIT
#pragma once

#include <pthread.h>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/image/file_reader.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/os/futex.hpp"

namespace rootlet::image {

inline constexpr std::string_view kUnpack = "unpack the image";

// What a file or directory of the image is told to be that cannot be read.
Error damaged(const std::string& path);

// A file of an extraction: made, and to be filled.
struct Unfilled {
  os::Fd out;
  FilePointer file;
  std::string path;  // for messages
  // Sets mode and times, when all is written.
  std::function<Status(int out)> finish;
};

// Fills the files of an extraction with several threads, a piece of a file
// each. They come as there is work, never more than processors; one that cannot
// be had is done without, for whoever adds files works too while many wait.
class Filling {
 public:
  explicit Filling(FileReader& reader) : reader_(reader) {}
  ~Filling();
  Filling(const Filling&) = delete;
  Filling& operator=(const Filling&) = delete;

  // The first error of any thread ends all.
  Status add(Unfilled file);

  // Returns when all is written and no thread is left. `tick` is called meanwhile.
  Status complete(const std::function<void()>& tick);

  std::uint64_t written() const { return written_; }

 private:
  struct Open;
  struct Piece;
  static void* thread_of(void* filling);
  bool take(Piece& piece);
  void do_piece(const Piece& piece);
  Status fill(const Piece& piece);
  void fail(Error error);
  void add_thread();

  FileReader& reader_;
  std::atomic<std::uint64_t> written_{0};  // bytes, holes included

  os::Mutex lock_;  // of the following
  std::deque<std::shared_ptr<Open>> waiting_;
  std::optional<Error> error_;
  bool ended_ = false;
  unsigned idle_ = 0;

  os::FutexWord changed_{0};
  std::vector<pthread_t> threads_;  // of whoever adds alone
  bool alone_ = false;              // no more threads are to be had
};

}  // namespace rootlet::image
