// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "launcher/records/path_names.hpp"
#include "launcher/records/record.hpp"

namespace rootlet::records {

// How a recorded run is repeated.
struct RerunRequest {
  std::string image;      // where it is now; "": where it was, else by its digest
  std::string directory;  // instead of the one that it was run in
  std::string into;       // where its outputs go, and stay; "": away when they are compared
  bool in_place = false;  // outputs are written where they were
  Places moved;           // other paths, and where they are now
};

struct Rerun {
  Record record;        // of the new run
  Places places;        // what its outputs' directories stand for, for differences()
  std::string command;  // for people
};

// Runs it again, with our own `rootlet run`, and waits. What was written to
// standard output goes to a file if it went to one, else to our standard error.
// Errors: it cannot be repeated (a record of no run, an image that is not to be
// found or has become another one, a secret variable that is not set), or it wrote
// no record.
Result<Rerun> rerun(const Record& record, const RerunRequest& request);

}  // namespace rootlet::records
