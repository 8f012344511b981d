// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/base/result.hpp"

namespace rootlet::examiner {

// How long a job may take, in seconds of a processor, and what it may open.
enum class Job {
  files,      // opens nothing: it reads the descriptor it has
  libraries,  // libappimage opens the file anew, by name
  drawing     // fonts of the system are read
};

// From here on this process can read what it was given and write into the pipe
// it was given, and hardly anything else: no capability, no new one, nothing to
// be executed, memory of 1 GiB, no file to be made, no network, no other
// process. Other system calls end it. Before the first byte of the file is read.
Status confine(Job job);

}  // namespace rootlet::examiner
