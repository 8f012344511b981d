// SPDX-License-Identifier: MIT
#include "packaging/tar_reader.hpp"

#include <algorithm>

namespace rootlet::packaging {
namespace {

constexpr std::string_view kRead = "read the archive";

std::string text_or_empty(const char* text) { return text != nullptr ? text : ""; }

void read_xattrs(archive_entry* entry, Node& node) {
  ::archive_entry_xattr_reset(entry);
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  while (::archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
    if (name == nullptr || !std::string_view(name).starts_with("user.")) continue;
    node.xattrs[name].assign(static_cast<const char*>(value), size);
  }
}

}  // namespace

la_ssize_t TarReader::feed(archive* handle, void* self, const void** bytes) {
  auto& me = *static_cast<TarReader*>(self);
  auto part = me.stream_.next();
  if (!part.ok()) {
    me.stream_error_ = std::move(part).error();
    ::archive_set_error(handle, EIO, "its bytes cannot be read");
    return -1;
  }
  *bytes = part.value().data();
  return static_cast<la_ssize_t>(part.value().size());
}

Result<std::unique_ptr<TarReader>> TarReader::open(Unpacked& stream, std::shared_ptr<Spool> spool,
                                                   std::string name) {
  std::unique_ptr<TarReader> self(new TarReader(stream, std::move(spool), std::move(name)));
  self->handle_.reset(::archive_read_new());
  archive* handle = self->handle_.get();
  if (handle == nullptr) return Error{ENOMEM, std::string(kRead), self->name_, {}, {}};
  ::archive_read_support_format_tar(handle);
  ::archive_read_support_format_empty(handle);  // a layer need not change anything
  if (::archive_read_open(handle, self.get(), nullptr, feed, nullptr) != ARCHIVE_OK) {
    return self->failure();
  }
  return self;
}

Error TarReader::failure() const {
  if (stream_error_) return *stream_error_;
  const char* text = ::archive_error_string(handle_.get());
  return plain_error(kRead, name_, text != nullptr ? text : "not a tar archive",
                     "SOURCE can be a directory, an AppDir, a tar, an OCI or docker image; see "
                     "rootlet build --help");
}

Error TarReader::refused(const std::string& member, std::string_view reason) const {
  return plain_error(kRead, name_ + ": " + member, reason);
}

Result<std::optional<Member>> TarReader::next() {
  archive_entry* entry = nullptr;
  const int got = ::archive_read_next_header(handle_.get(), &entry);
  if (got == ARCHIVE_EOF) return std::optional<Member>();
  // ARCHIVE_WARN: a name that is no UTF-8 is kept as the bytes it is.
  if (got != ARCHIVE_OK && got != ARCHIVE_WARN) return failure();
  Member member;
  member.path = text_or_empty(::archive_entry_pathname(entry));
  if (member.path.empty()) return refused("(a member)", "it has no name");
  TRY(spool_->count_member(name_));
  member.hardlink = text_or_empty(::archive_entry_hardlink(entry));
  if (member.hardlink.empty()) member.node = TRY(new_node(entry, member.path));
  return std::optional(std::move(member));
}

Result<NodePtr> TarReader::new_node(archive_entry* entry, const std::string& path) {
  auto node = std::make_shared<Node>();
  node->mode = ::archive_entry_perm(entry) & 07777;
  node->uid = static_cast<std::uint32_t>(::archive_entry_uid(entry));
  node->gid = static_cast<std::uint32_t>(::archive_entry_gid(entry));
  node->mtime = ::archive_entry_mtime(entry);
  read_xattrs(entry, *node);
  switch (::archive_entry_filetype(entry)) {
    case AE_IFDIR: node->kind = Node::Kind::kDirectory; break;
    case AE_IFLNK:
      node->kind = Node::Kind::kSymlink;
      node->mode = 0777;  // Linux ignores it; archives disagree about it
      node->target = text_or_empty(::archive_entry_symlink(entry));
      if (node->target.empty() || node->target.size() > 4095) {
        return refused(path, "a symlink that leads nowhere, or whose target is too long");
      }
      break;
    case AE_IFCHR: node->kind = Node::Kind::kCharDevice; break;
    case AE_IFBLK: node->kind = Node::Kind::kBlockDevice; break;
    case AE_IFIFO: node->kind = Node::Kind::kFifo; break;
    case AE_IFREG: TRY(spool(path, *node)); break;
    default: return refused(path, "a member of unknown type");
  }
  node->major = static_cast<unsigned>(::archive_entry_rdevmajor(entry));
  node->minor = static_cast<unsigned>(::archive_entry_rdevminor(entry));
  return node;
}

// A member's bytes go to the spool; holes stay holes.
Status TarReader::spool(const std::string& path, Node& node) {
  for (;;) {
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int got = ::archive_read_data_block(handle_.get(), &data, &size, &offset);
    if (got == ARCHIVE_EOF) {
      node.size = std::max(node.size, static_cast<std::uint64_t>(offset));
      break;
    }
    if (got != ARCHIVE_OK) return failure();
    if (offset < 0) return refused(path, "a hole of negative length");
    const auto at = static_cast<std::uint64_t>(offset);
    TRY(spool_->write({static_cast<const char*>(data), size}, at, name_ + ": " + path));
    node.size = at + size;
  }
  node.content = TRY(spool_->finish(node.size, path));
  return Done{};
}

}  // namespace rootlet::packaging
