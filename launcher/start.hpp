// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/run/options.hpp"
#include "runtime/run/status_report.hpp"  // end_run(), which comes after it

namespace rootlet {

// A run, once a verb has read its command line: `root` is opened as an image,
// a directory or the host, and `arguments` are the tool's. `closed`: of 0, 1
// and 2, those that the caller had closed. `seal`: the digest that the image must
// have; empty: any.
Result<int> start(Options options, const std::string& root, std::vector<int> closed,
                  const std::vector<std::string>& arguments, const std::string& seal = {});

}  // namespace rootlet
