// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "packaging/command.hpp"
#include "packaging/scratch.hpp"

namespace rootlet::packaging {

// Foreign code (maintainer scripts, post-link scripts) and foreign archives
// are let loose only in a run of our own: no network, no file of the host that
// could be written but the scratch root, no capability, the default filter.
// Inside, the caller is uid 0, the only id there is; changes of owner succeed
// and do nothing, and so does fsync, of a root that lives for minutes.
class Engine {
 public:
  static Result<Engine> make(const ScratchDirectory& scratch);

  // WORDS with ROOT, a directory of the scratch place, as its root.
  Result<CommandEnd> in_root(const std::string& root, std::vector<std::string> words,
                             std::function<void(std::string_view)> on_line = {}) const;

  // WORDS of the host's own programs, on a view of the host in which ROOT
  // alone may be written, and where each BIND (SOURCE:PLACE[:ro]) shows more.
  Result<CommandEnd> on_host(const std::string& root, std::vector<std::string> words,
                             std::function<void(std::string_view)> on_line = {},
                             const std::vector<std::string>& binds = {}) const;

 private:
  Engine(std::string rootlet, std::string filter)
      : rootlet_(std::move(rootlet)), filter_(std::move(filter)) {}

  Result<CommandEnd> run(std::vector<std::string> words,
                         std::function<void(std::string_view)> on_line) const;

  std::string rootlet_, filter_;
};

}  // namespace rootlet::packaging
