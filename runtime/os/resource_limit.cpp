// SPDX-License-Identifier: MIT
#include "runtime/os/resource_limit.hpp"

#include <algorithm>

namespace rootlet::os {

void lower_limit(int resource, rlim_t most) {
  rlimit limit{};
  ::getrlimit(static_cast<__rlimit_resource_t>(resource), &limit);
  limit.rlim_max = std::min(limit.rlim_max, most);
  limit.rlim_cur = std::min(limit.rlim_cur, most);
  ::setrlimit(static_cast<__rlimit_resource_t>(resource), &limit);
}

}  // namespace rootlet::os
