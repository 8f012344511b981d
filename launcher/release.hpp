// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/policy/policy.hpp"
#include "runtime/run/data_search.hpp"

namespace rootlet {

// One small file that pins the tools of a pipeline, and their data, by digest
// (docs/data.md): what it names is found as named data is, wherever it lies, so
// releases that have an image in common share it.
struct Release {
  std::string file;    // absolute
  std::string digest;  // of the file itself: "sha256:..."
  std::string name, version;
  struct Pin {
    std::string name, digest;
    std::uint64_t size = 0;  // bytes of its file; 0: any
    std::string path;        // data: where it is shown inside
    bool attached = false;   // data: shown by the release, to each of its tools
  };
  std::vector<Pin> tools, data;

  std::string title() const { return version.empty() ? name : name + " " + version; }
  const Pin* tool(const std::string& name) const;
  // For the record of a run: {"name": ..., "digest": ...}.
  std::string as_json() const;
};

// Nothing: the file is no release. Errors: it begins like one and is none.
Result<std::optional<Release>> read_release(const std::string& file);
std::string write_release(const Release& release);

// Looks where named data is looked for: `given`, beside the release, the stores.
Result<DataSearch> find_pin(const Release::Pin& pin, const Release& release,
                            const std::vector<std::string>& given, const Caller& caller);
// Where it was not found, and why.
Error pin_is_missing(const Release::Pin& pin, const Release& release, const DataSearch& search);

}  // namespace rootlet
