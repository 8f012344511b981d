// SPDX-License-Identifier: MIT
#pragma once

#include "launcher/learn/recording.hpp"
#include "runtime/sandbox/plan.hpp"

namespace rootlet::learn {

// What of a plan a recording keeps.
Setting setting_of(const sandbox::Plan& plan);

}  // namespace rootlet::learn
