// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "packaging/archive_stream.hpp"
#include "packaging/source.hpp"
#include "packaging/tree.hpp"

namespace rootlet::packaging {

UnpackLimit unpack_limit(const SourceRequest& request);

// Where the bytes of archives' members go: one nameless scratch file. Zeros
// stay holes, so that sparse files cost nothing, and zeros as a bomb neither.
class Spool {
 public:
  static Result<std::shared_ptr<Spool>> make(const UnpackLimit& limit);

  Status write(std::string_view bytes, std::uint64_t at, const std::string& name);
  // The end of a file of so many bytes that began at begin().
  Result<Content> finish(std::uint64_t size, const std::string& name);
  std::uint64_t begin() const { return end_; }
  Status count_member(const std::string& name);
  const UnpackLimit& limit() const { return limit_; }

 private:
  Spool(os::Fd file, UnpackLimit limit)
      : file_(std::make_shared<const os::Fd>(std::move(file))), limit_(limit) {}

  std::shared_ptr<const os::Fd> file_;
  UnpackLimit limit_;
  std::uint64_t end_ = 0, members_ = 0;
};

// One name of an archive.
struct Member {
  std::string path;
  std::string hardlink;  // another name for what has this one; else empty
  NodePtr node;          // null for a hard link
};

// The members of a tar, one after the other. No member is ever created under
// its own name on the host, so none can be written outside of the tree, and
// devices, owners and set-id bits need no privilege.
class TarReader {
 public:
  // `stream` outlives it.
  static Result<std::unique_ptr<TarReader>> open(Unpacked& stream, std::shared_ptr<Spool> spool,
                                                 std::string name);

  Result<std::optional<Member>> next();

  Error refused(const std::string& member, std::string_view reason) const;

 private:
  TarReader(Unpacked& stream, std::shared_ptr<Spool> spool, std::string name)
      : stream_(stream), spool_(std::move(spool)), name_(std::move(name)) {}

  static la_ssize_t feed(archive*, void* self, const void** bytes);
  Error failure() const;
  Result<NodePtr> new_node(archive_entry* entry, const std::string& path);
  Status spool(const std::string& path, Node& node);

  Unpacked& stream_;
  std::shared_ptr<Spool> spool_;
  std::string name_;
  std::optional<Error> stream_error_;
  Archive handle_;
};

}  // namespace rootlet::packaging
