// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "launcher/zsync_header.hpp"
#include "packaging/update_information.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet {

// Where a newer version lies. The control file is fetched already; the file
// itself is not.
struct UpdateSource {
  os::Fd control;      // the .zsync, in memory; not set: there is none
  ZsyncHeader header;  // of a file without a .zsync: its length and digest
  std::string from;    // the control file's address: a path or an URL
  std::string target;  // the file's own

  bool is_local() const { return target.find("://") == std::string::npos; }
};

// `text`: a path or URL, of a .zsync or of an image. Errors: it cannot be
// reached, or is no such file.
Result<UpdateSource> open_update_source(const std::string& text);

// The same from the update information of an image. Releases of GitHub are
// asked for through its API ($GITHUB_API_URL, as GitHub's own runners set it).
Result<UpdateSource> open_update_source(const packaging::UpdateInformation& information);

}  // namespace rootlet
