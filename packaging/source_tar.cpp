// SPDX-License-Identifier: MIT
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "packaging/source.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::string_view kRead = "read the archive";

struct CloseArchive {
  void operator()(archive* handle) const { ::archive_read_free(handle); }
};
using Archive = std::unique_ptr<archive, CloseArchive>;

// A scratch file without a name: nothing is left however we end.
Result<os::Fd> open_scratch() {
  const char* directory = std::getenv("TMPDIR");
  if (directory == nullptr || *directory == '\0') directory = "/tmp";
  int fd = ::open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return os::Fd(fd);
  std::string name = std::string(directory) + "/rootlet-XXXXXX";
  fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) {
    return last_error("create a scratch file", directory,
                      "set TMPDIR to a directory you may write");
  }
  ::unlink(name.c_str());
  return os::Fd(fd);
}

class Reader {
 public:
  Reader(archive* handle, std::string name, os::Fd scratch)
      : handle_(handle),
        name_(std::move(name)),
        scratch_(std::make_shared<const os::Fd>(std::move(scratch))) {}

  Result<Tree> read() {
    std::size_t members = 0;
    for (;; ++members) {
      archive_entry* entry = nullptr;
      const int got = ::archive_read_next_header(handle_, &entry);
      if (got == ARCHIVE_EOF) break;
      // ARCHIVE_WARN: a name that is no UTF-8 is kept as the bytes it is.
      if (got != ARCHIVE_OK && got != ARCHIVE_WARN) return archive_failure();
      TRY(add(entry));
    }
    if (members == 0) return plain_error(kRead, name_, "the archive is empty");
    return std::move(tree_);
  }

 private:
  Error archive_failure() const {
    const char* text = ::archive_error_string(handle_);
    return plain_error(kRead, name_, text != nullptr ? text : "not a tar archive",
                       "SOURCE is a directory, an AppDir or a tar as docker export writes it");
  }

  Error refused(const std::string& member, std::string_view reason) const {
    return plain_error(kRead, name_ + ": " + member, reason);
  }

  static std::string text_or_empty(const char* text) { return text != nullptr ? text : ""; }

  Status add(archive_entry* entry) {
    const std::string path = text_or_empty(::archive_entry_pathname(entry));
    if (path.empty()) return refused("(a member)", "it has no name");
    const std::string hardlink = text_or_empty(::archive_entry_hardlink(entry));
    NodePtr node;
    if (!hardlink.empty()) {
      node = tree_.find(hardlink);
      if (!node || node->is_directory()) {
        return refused(path, "a hard link to " + hardlink + ", which the archive lacks");
      }
    } else {
      node = TRY(new_node(entry, path));
    }
    const Status put = tree_.put(path, std::move(node));
    if (!put.ok()) return refused(path, put.error().reason);
    return Done{};
  }

  Result<NodePtr> new_node(archive_entry* entry, const std::string& path) {
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

  static void read_xattrs(archive_entry* entry, Node& node) {
    ::archive_entry_xattr_reset(entry);
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    while (::archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
      if (!std::string_view(name).starts_with("user.")) continue;
      node.xattrs[name].assign(static_cast<const char*>(value), size);
    }
  }

  // Appends a member's bytes to the scratch file; holes stay holes.
  Status spool(const std::string& path, Node& node) {
    for (;;) {
      const void* data = nullptr;
      std::size_t size = 0;
      la_int64_t offset = 0;
      const int got = ::archive_read_data_block(handle_, &data, &size, &offset);
      if (got == ARCHIVE_EOF) {
        node.size = std::max(node.size, static_cast<std::uint64_t>(offset));
        break;
      }
      if (got != ARCHIVE_OK) return archive_failure();
      TRY(write_at({static_cast<const char*>(data), size},
                   end_ + static_cast<std::uint64_t>(offset)));
      node.size = static_cast<std::uint64_t>(offset) + size;
    }
    node.content = Content::of_range(scratch_, end_, path);
    end_ += node.size;
    // A hole at the end of a member must be readable too.
    if (::ftruncate(scratch_->get(), static_cast<off_t>(end_)) != 0) {
      return last_error("write the scratch file", path);
    }
    return Done{};
  }

  Status write_at(std::string_view bytes, std::uint64_t offset) {
    while (!bytes.empty()) {
      const ssize_t put =
          ::pwrite(scratch_->get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) {
        return last_error("write the scratch file", name_,
                          "set TMPDIR to a directory with room for the unpacked archive");
      }
      bytes.remove_prefix(static_cast<std::size_t>(put));
      offset += static_cast<std::uint64_t>(put);
    }
    return Done{};
  }

  archive* handle_;
  std::string name_;
  std::shared_ptr<const os::Fd> scratch_;
  std::uint64_t end_ = 0;
  Tree tree_;
};

}  // namespace

Result<Tree> read_tar(const std::string& path, const SourceRequest&) {
  const Archive handle(::archive_read_new());
  if (!handle) return Error{ENOMEM, std::string(kRead), path, {}, {}};
  ::archive_read_support_filter_all(handle.get());
  ::archive_read_support_format_tar(handle.get());
  if (::archive_read_open_filename(handle.get(), path.c_str(), 1 << 20) != ARCHIVE_OK) {
    return plain_error(kRead, path, ::archive_error_string(handle.get()));
  }
  return Reader(handle.get(), path, TRY(open_scratch())).read();
}

}  // namespace rootlet::packaging
