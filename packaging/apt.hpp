// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "packaging/command.hpp"
#include "packaging/source.hpp"

namespace rootlet::packaging {

// One step of an installation, as apt ordered it.
struct AptStep {
  bool unpack = false;  // else: configure
  std::string package;  // NAME, or NAME:ARCH of a foreign architecture
  std::string file;     // NAME_VERSION_ARCH.deb
};

// apt with a state of its own: the host's sources, keys, proxies and
// preferences, but none of its packages, caches and hooks. Nothing of the
// host is changed, and no package is run: apt fetches and computes.
class Apt {
 public:
  // DIRECTORY is empty and ours. The request names suite and mirrors, if any.
  static Result<Apt> make(const std::string& directory, const SourceRequest& request);

  Status update(const Report& report) const;

  // The packages marked Essential, and usr-is-merged where there is one.
  Result<std::vector<std::string>> essential() const;

  // What installing these from nothing takes, in order.
  Result<std::vector<AptStep>> plan(const std::vector<std::string>& packages) const;

  // Fetches what the plan of these packages needs into archives().
  Status download(const std::vector<std::string>& packages, const Report& report) const;

  std::string archives() const { return directory_ + "/cache/archives"; }
  const std::string& suite() const { return suite_; }

 private:
  Apt(std::string directory, std::string suite)
      : directory_(std::move(directory)), suite_(std::move(suite)) {}

  Result<CommandEnd> run(std::vector<std::string> words,
                         std::function<void(std::string_view)> on_line = {}) const;
  Error explain(const CommandEnd& end, const std::string& what) const;

  std::string directory_, suite_;
};

}  // namespace rootlet::packaging
