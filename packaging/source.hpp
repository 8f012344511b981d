// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "packaging/progress.hpp"
#include "packaging/tree.hpp"
#include "runtime/policy/policy.hpp"

namespace rootlet::packaging {

// What to read, and what the kinds of sources need to be told.
struct SourceRequest {
  std::string spec;                  // a path, or KIND:REST
  std::string with_root;             // another SPEC: the root that the source is put into
  std::string platform;              // of a multi-platform image: OS/ARCH[/VARIANT]
  std::vector<std::string> mirrors;  // deb: sources instead of the host's
  std::string suite;                 // deb: the release instead of the host's
  std::vector<std::string> with;     // deb: packages that come along without commands
  std::string root;           // deb: where the packages are installed already; empty: nowhere
  std::uint64_t maximum = 0;  // bytes that an archive may unpack to; 0: the default
  std::uint16_t machine = 0;  // e_machine of the stub
  Report report;
};

// What `build` was given, read into a tree.
struct Source {
  enum class Kind {
    kDirectory,
    kAppDir,
    kTar,
    kOci,
    kDockerArchive,
    kDebian,
    kConda,
    kAppImage
  };
  Kind kind = Kind::kDirectory;
  std::string path;
  Tree tree;
  // What the source itself says about the tool (an OCI configuration, the
  // commands of packages). It fills what --policy and the options leave open.
  Policy policy;
  std::vector<std::string> notes;    // what was left out or changed on the way
  std::optional<std::int64_t> time;  // no file of the image is later
  std::vector<std::pair<std::string, std::string>> origin;  // for build.json: "digest", ...
  std::shared_ptr<void> scratch;  // what the tree's contents lie in, as long as they are read
};

std::string_view kind_name(Source::Kind kind);

// Reads a source of any kind; the kind of a bare path is recognised.
Result<Source> read_source(const SourceRequest& request);

// The tree below a directory. Symlinks are data; nothing is followed.
// Files of the caller's own appear as root's, so that the same tree packed by
// two people gives the same bytes; root keeps all owners.
Result<Tree> read_directory(const std::string& path, std::vector<std::string>& notes);

// A tar archive with any compression that libarchive reads. Its files are
// spooled into one nameless scratch file: no member is ever created under its
// own name, so none can be written outside, and devices, owners and set-id
// bits need no privilege.
Result<Tree> read_tar(const std::string& path, const SourceRequest& request);

}  // namespace rootlet::packaging
