// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "examiner/frames.hpp"

namespace rootlet::examiner {

using Sink = std::function<Status(std::string_view)>;

// What was just visited: its bytes can be had now, and only now.
class Content {
 public:
  virtual ~Content() = default;
  virtual Status read(const Sink& sink) = 0;
};

using Visit = std::function<Status(const Member&, Content&)>;

// The files of an image, whatever its format.
class Archive {
 public:
  virtual ~Archive() = default;
  // Visits all of them; can be called again.
  virtual Status walk(const Visit& visit) = 0;
};

// The file to examine is open as this descriptor, and known by this name to
// libraries that want one.
constexpr int kFile = 3;
constexpr const char* kFileName = "/proc/self/fd/3";

// A squashfs or an ISO 9660 image, which begins at `offset`.
Result<std::unique_ptr<Archive>> open_archive(std::uint64_t offset, std::uint64_t length);
std::unique_ptr<Archive> open_iso(std::uint64_t offset, std::uint64_t length);

// The path that `path` comes to when the image's symlinks are followed, inside
// of the image whatever they say; empty: there is nothing, or a loop.
class Links {
 public:
  void add(const Member& member);
  bool has(const std::string& path) const { return kinds_.count(path) != 0; }
  char kind(const std::string& path) const;  // of `path` itself; 0: not there
  std::string resolve(const std::string& path) const;
  const std::map<std::string, char>& all() const { return kinds_; }

 private:
  std::map<std::string, char> kinds_;
  std::map<std::string, std::string> targets_;  // of links, hard ones as "/PATH"
};

Result<Links> read_links(Archive& archive);

}  // namespace rootlet::examiner
