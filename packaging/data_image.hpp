// SPDX-License-Identifier: MIT
#pragma once

#include "packaging/assemble.hpp"

namespace rootlet::packaging {

// `rootlet build --data`: a source as a bare squashfs with a seal, to be shown
// inside of runs (attach=, [data]). No program in front, no policy, no check:
// data need not start. The same input gives the same bytes.
Result<BuildSummary> build_data(const BuildRequest& request);

}  // namespace rootlet::packaging
