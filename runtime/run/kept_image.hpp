// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "runtime/base/log.hpp"
#include "runtime/run/options.hpp"
#include "runtime/run/private_directory.hpp"
#include "runtime/run/source.hpp"
#include "runtime/run/stamp.hpp"

// Unpacked images that stay for later runs: BASE/rootlet-UID/image-HEX, which
// holds the files ("root") and a stamp ("stamp": "DIGEST BYTES FILE", the numbers
// as 16 hexadecimal digits). A run that
// makes one has it locked exclusively, those that use it share the lock, and
// who removes one needs it alone. A name is given away, made and removed with
// the lock of BASE/rootlet-UID.
namespace rootlet {

// What cache=SIZE says: the bytes of all kept images; 0: none is kept.
std::optional<std::uint64_t>& kept_limit();

// Whether and how a run keeps what it unpacks.
struct Keeping {
  Stamp stamp;
  std::optional<std::uint64_t> most;  // bytes of all kept images; not said: by the disk

  // Nothing: it is removed at the end of the run. Kept is where a server would
  // be shared (keep_seconds()), or where cache=SIZE asks for it.
  static std::optional<Keeping> of_run(const Options& options, const Caller& caller);
};

// The kept image at `base`: as an earlier run left it, where its stamp is right,
// else unpacked now. While another run makes it, waits. Nothing: it cannot
// be kept there, for want of room, or since another run uses a changed one, or
// cannot even be unpacked.
std::optional<PrivateDirectory> open_kept(const std::string& base, Source& source,
                                          const Keeping& keeping, const Log& log);

// One entry of BASE/rootlet-UID.
struct Kept {
  char name[24] = {};       // "image-" and 16 hexadecimal digits
  bool in_use = false;      // by a run, now
  bool complete = false;    // it has a stamp
  std::uint64_t bytes = 0;  // on disk; 0: not known
  std::int64_t used = 0;    // when a run last began with it: seconds since 1970
};
// Looks at each.
void each_kept(int directory, const std::function<void(const Kept&)>& look);

// Removes one that nobody uses; false: somebody does. With the directory's lock.
bool remove_kept(int directory, const char* name);

}  // namespace rootlet
