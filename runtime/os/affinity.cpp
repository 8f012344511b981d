// SPDX-License-Identifier: MIT
#include "runtime/os/affinity.hpp"

namespace rootlet::os {

OneProcessor::OneProcessor() {
  const int processor = ::sched_getcpu();
  // EINVAL on machines of more than 1024 processors: then it does nothing.
  known_ = processor >= 0 && processor < CPU_SETSIZE &&
           ::sched_getaffinity(0, sizeof before_, &before_) == 0;
  if (known_) CPU_SET(static_cast<unsigned>(processor), &one_);
}

void OneProcessor::join() const {
  if (known_) ::sched_setaffinity(0, sizeof one_, &one_);
}

void OneProcessor::leave() const {
  if (known_) ::sched_setaffinity(0, sizeof before_, &before_);
}

}  // namespace rootlet::os
