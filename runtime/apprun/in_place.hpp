// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/apprun/text.hpp"

namespace apprun {

// The directory that /AppRun lies in: "/" inside a root of its own, elsewhere
// when another program mounted the image.
struct Place {
  int fd;
  const char* path;
};

// Runs argv[0], a path inside the image, relative to the place, as far as that
// can work: the image's own dynamic loader and libraries, its own interpreter
// of scripts. Says on stderr that absolute paths will not work. Does not
// return: what is missing is said and ends the program (126, 127).
// `added`: the policy's variables.
[[noreturn]] void run_in_place(const Place& place, const Words& argv, Words environment,
                               const Words& added);

}  // namespace apprun
