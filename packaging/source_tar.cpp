// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <unistd.h>

#include "packaging/source.hpp"
#include "packaging/tar_reader.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::string_view kRead = "read the archive";

Status put(Tree& tree, const TarReader& reader, Member member) {
  NodePtr node = member.node;
  if (!member.hardlink.empty()) {
    node = tree.find(member.hardlink);
    if (!node || node->is_directory()) {
      return reader.refused(member.path,
                            "a hard link to " + member.hardlink + ", which the archive lacks");
    }
  }
  const Status status = tree.put(member.path, std::move(node));
  if (!status.ok()) return reader.refused(member.path, status.error().reason);
  return Done{};
}

}  // namespace

UnpackLimit unpack_limit(const SourceRequest& request) {
  UnpackLimit limit;
  if (request.maximum != 0) limit = {request.maximum, true};
  return limit;
}

Result<Tree> read_tar(const std::string& path, const SourceRequest& request) {
  const int raw = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (raw < 0) return last_error(kRead, path);
  const auto file = std::make_shared<const os::Fd>(raw);
  const off_t size = ::lseek(raw, 0, SEEK_END);
  if (size < 0) {
    return last_error(kRead, path, "a pipe cannot be read again: write it to a file first");
  }
  const UnpackLimit limit = unpack_limit(request);
  const auto total = static_cast<std::uint64_t>(size);
  const OpenContent content = TRY(Content::of_range(file, 0, path).open());
  const auto stream = TRY(Unpacked::open(content, total, path, limit));
  auto spool = TRY(Spool::make(limit));
  const auto reader = TRY(TarReader::open(*stream, std::move(spool), path));
  Tree tree;
  bool empty = true;
  for (;; empty = false) {
    auto member = TRY(reader->next());
    if (!member) break;
    TRY(put(tree, *reader, std::move(*member)));
    if (request.report) request.report({"reading the archive", stream->packed_done(), total});
  }
  if (empty) return plain_error(kRead, path, "the archive is empty");
  return tree;
}

}  // namespace rootlet::packaging
