// SPDX-License-Identifier: MIT
#include "runtime/image/answer_loop.hpp"

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include <cerrno>

namespace rootlet::image {

// The first questions come from init and from the tool's start, one after the
// other; what comes later may come from many processors.
void answer(fuse_session* session, const os::OneProcessor& beside) {
  constexpr int kFirst = 64;
  fuse_buf buffer{};
  for (int count = 0; ::fuse_session_exited(session) == 0; ++count) {
    if (count == kFirst) beside.leave();
    const int got = ::fuse_session_receive_buf(session, &buffer);
    if (got == -EINTR) continue;
    if (got <= 0) return;
    ::fuse_session_process_buf(session, &buffer);
  }
}

}  // namespace rootlet::image
