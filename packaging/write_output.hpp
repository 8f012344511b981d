// SPDX-License-Identifier: MIT
#pragma once

#include "packaging/assemble.hpp"
#include "packaging/squashfs.hpp"
#include "packaging/stub.hpp"

namespace rootlet::packaging {

// Writes stub and image, runs the policy's self-test on them, and gives the file
// its name (summary.output) when it has passed. What was there before stays until
// then. Sizes, and what came of the test, are told in the summary.
Status write_output(const BuildRequest& request, const Stub& stub, const Tree& tree,
                    SquashfsOptions options, BuildSummary& summary);

}  // namespace rootlet::packaging
