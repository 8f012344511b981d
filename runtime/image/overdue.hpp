// SPDX-License-Identifier: MIT
#pragma once

namespace rootlet::image {

// A reader that loops, or whose threads wait for each other, is told from one
// that works or waits for a slow disk: its threads say what they do, and the
// clock of the crew (a signal, which ends neither loop nor wait but is heard in
// both) looks at it.

// The calling thread answers a question, or decodes a block, as long as it lives.
class Busy {
 public:
  Busy();
  ~Busy();
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
};

// The calling thread waits for the image's file, which takes as long as it takes.
class WaitsForFile {
 public:
  WaitsForFile();
  ~WaitsForFile();
  WaitsForFile(const WaitsForFile&) = delete;
  WaitsForFile& operator=(const WaitsForFile&) = delete;
};

bool is_somebody_busy();

// To be called at each tick, in a signal handler too. True when a thread has
// been at the same question for patience() ticks in which nobody waited for the
// file: it will never answer.
bool is_overdue();

// In ticks. A question takes some blocks at most, one of 1 MiB in lzma 0.1 s.
unsigned& patience();

// The calling thread ends.
void leave_overdue();

}  // namespace rootlet::image
