// SPDX-License-Identifier: MIT
#pragma once

#include <sys/resource.h>

namespace rootlet::os {

// Lowers both limits of the calling process to `most`, never raises them.
void lower_limit(int resource, rlim_t most);

}  // namespace rootlet::os
