// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "packaging/apt.hpp"
#include "packaging/engine.hpp"

namespace rootlet::packaging {

// A root into which packages are installed for real: unpacked, their scripts
// run, alternatives and generated files made. All of it happens in runs of our
// own; the host's dpkg-deb and tar only unpack what the first step needs.
class DebianRoot {
 public:
  // PATH is empty and ours; ARCHIVES holds the packages and is moved into it.
  static Result<DebianRoot> make(const std::string& path, const std::string& archives,
                                 const Engine& engine);

  // FIRST makes a root that can run dpkg; ALL, which holds it, is the rest.
  Status install(const std::vector<AptStep>& first, const std::vector<AptStep>& all,
                 const Report& report) const;

  // Nothing is later than TIME any more, and what remembers times of
  // directories remembers these; every file can be read by its owner.
  Status settle(std::int64_t time) const;

  const std::string& path() const { return path_; }

 private:
  DebianRoot(std::string path, const Engine& engine) : path_(std::move(path)), engine_(engine) {}

  Status unpack(const std::vector<AptStep>& steps) const;
  Status prepare(const std::vector<AptStep>& first, const std::vector<AptStep>& all) const;
  Error explain(const CommandEnd& end) const;

  std::string path_;
  const Engine& engine_;
};

}  // namespace rootlet::packaging
