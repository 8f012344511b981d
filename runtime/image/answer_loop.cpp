// SPDX-License-Identifier: MIT
#include "runtime/image/answer_loop.hpp"

#include <malloc.h>

#include "runtime/image/crew.hpp"

namespace rootlet::image {

void answer(fuse_session* session, Answers& answers, const os::OneProcessor& beside) {
  constexpr unsigned kMostThreads = 16;
  // Threads hardly allocate: a heap for each of them is memory for nothing.
  ::mallopt(M_ARENA_MAX, 1);
  static void (*give_up)(const char*) = answers.give_up;
  Crew crew({session, &answers.reader.cache(), [&] { answers.on_idle(); }, kMostThreads,
             [] { give_up("it did not answer any more"); }},
            beside);
  answers.crew = &crew;
  crew.run();
}

}  // namespace rootlet::image
