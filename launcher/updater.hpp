// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launcher/update_rules.hpp"
#include "launcher/update_source.hpp"

namespace rootlet {

// What `rootlet update` was asked for.
struct UpdateRequest {
  std::string image, from;  // from: empty, as the image itself says
  UpdateRules rules;
  bool backup = false;     // the old file stays, as IMAGE.zs-old
  unsigned patience = 60;  // seconds in which something new has to come
  bool show = false;       // the progress of the programs that fetch
};

struct UpdateState {
  bool newer = false;           // there is another file than this one
  std::uint64_t size = 0;       // of that file, in bytes
  std::string from, installed;  // where it lies; its SHA-1
};

// Looks, and changes nothing.
Result<UpdateState> look_for_update(const UpdateRequest& request);

// Looks, and where there is another file puts it in the place of the image: at
// once, with the old one's mode, owner and attributes. The old file stays as it
// is on any failure, under whoever runs it, and on SIGKILL at any moment.
struct Updated {
  UpdateState state;
  std::vector<std::string> notes;
};
Result<Updated> update_image(const UpdateRequest& request);

}  // namespace rootlet
