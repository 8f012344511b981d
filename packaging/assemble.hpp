// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "packaging/findings.hpp"
#include "packaging/recipe.hpp"
#include "packaging/source.hpp"
#include "packaging/trim.hpp"
#include "runtime/base/result.hpp"

namespace rootlet::packaging {

// What `rootlet build` was asked for.
struct BuildRequest {
  SourceRequest source;
  Recipe recipe;       // what `source` and the rest were taken from; empty: none
  std::string output;  // empty: NAME-[VERSION-]ARCH.AppImage
  std::string entry, policy_file, name, version;
  std::string update_information;
  std::string base;  // the image that the new one is to lie on; empty: none
  TrimRequest trim;
  std::string order;  // a file that lists a start-up's paths (path_list.hpp); empty: none
  bool self_test = true;
  unsigned self_test_seconds = 60;
  std::string stub, apprun;  // empty: those beside the running command
  unsigned level = 15;
  std::uint32_t block_size = 128 << 10;
  unsigned threads = 0;
  bool check = true;
  bool seal = true;  // hashes behind the image (runtime/payload/seal.hpp)
  bool force = false;
  bool data = false;  // a bare squashfs of data (data_image.hpp)
  Report report;
  // Called with the whole file, before it gets its name: it may be signed.
  std::function<Status(int fd, const std::string& name)> finish;
};

struct BuildSummary {
  std::string output;
  Policy policy;
  std::string kind;
  std::vector<std::string> notes;
  std::vector<std::pair<std::string, std::string>> facts;  // what else was done, in words
  Findings findings;                                       // what the image lacks
  std::uint64_t stub = 0;                                  // bytes of the program in front
  std::uint64_t image = 0;                                 // bytes of the squashfs behind it
  std::uint64_t content = 0;                               // of the files in it
  std::uint32_t entries = 0;
  std::string digest = {};  // of an image of data
};

// The whole build, in order.
Result<BuildSummary> build(const BuildRequest& request);

}  // namespace rootlet::packaging
