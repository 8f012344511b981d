// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "launcher/records/record.hpp"

namespace rootlet::records {

// What a crate says beside what the records do.
struct CrateRequest {
  std::string directory;  // made, or an empty one
  std::string name, licence;
  bool copy_files = true;  // inputs and outputs, as far as they are what the records say
};

// A Process Run Crate (RO-Crate 1.1, profile Process Run Crate 0.5) of these runs:
// the records, their files, and ro-crate-metadata.json. Errors: the directory is
// not empty, or cannot be written. Files that are gone or changed since are
// named in the crate with their digests, and in `left_out`.
Status write_crate(const std::vector<Record>& records, const CrateRequest& request,
                   std::vector<std::string>& left_out);

}  // namespace rootlet::records
