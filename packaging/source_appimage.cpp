// SPDX-License-Identifier: MIT
#include "packaging/source_appimage.hpp"

#include <fcntl.h>

#include <cstring>
#include <map>

#include <sqfs/data_reader.h>
#include <sqfs/dir_reader.h>

#include "packaging/squashfs_objects.hpp"
#include "packaging/tar_reader.hpp"
#include "runtime/payload/payload.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::string_view kRead = "read the AppImage";

struct DestroyHierarchy {
  void operator()(sqfs_tree_node_t* node) const { ::sqfs_dir_tree_destroy(node); }
};

// A squashfs of anybody's, read into a tree; its files go to a spool.
class Reader {
 public:
  Reader(int fd, const Payload& payload, std::string name, const SourceRequest& request)
      : name_(std::move(name)),
        request_(request),
        file_(make_sqfs_file(fd, payload.offset, &io_errno_)) {}

  Result<Tree> run() {
    TRY(open());
    sqfs_tree_node_t* top = nullptr;
    TRY(checked(
        ::sqfs_dir_reader_get_full_hierarchy(directories_.get(), ids_.get(), nullptr, 0, &top)));
    const std::unique_ptr<sqfs_tree_node_t, DestroyHierarchy> owned(top);
    measure(*top);
    Tree tree;
    tree.root() = *TRY(new_node(*top));
    TRY(read_children(*top, tree.root(), 0));
    return tree;
  }

 private:
  Status checked(int code) const {
    if (code >= 0) return Done{};
    Error error = sqfs_failure(code, io_errno_);
    error.action = std::string(kRead);
    error.subject = name_;
    return error;
  }
  Status made(const void* object) const { return checked(object ? 0 : SQFS_ERROR_ALLOC); }

  Status open() {
    TRY(checked(::sqfs_super_read(&super_, file_.get())));
    sqfs_compressor_config_t config;
    TRY(checked(::sqfs_compressor_config_init(&config,
                                              static_cast<SQFS_COMPRESSOR>(super_.compression_id),
                                              super_.block_size, SQFS_COMP_FLAG_UNCOMPRESS)));
    sqfs_compressor_t* raw = nullptr;
    const int code = ::sqfs_compressor_create(&config, &raw);
    if (code < 0) {
      return plain_error(kRead, name_, "its compression is not known here",
                         "unpack it and pack the directory");
    }
    compressor_.reset(raw);
    if ((super_.flags & SQFS_FLAG_COMPRESSOR_OPTIONS) != 0) {
      TRY(checked(compressor_->read_options(compressor_.get(), file_.get())));
    }
    ids_.reset(::sqfs_id_table_create(0));
    TRY(made(ids_.get()));
    TRY(checked(::sqfs_id_table_read(ids_.get(), file_.get(), &super_, compressor_.get())));
    directories_.reset(::sqfs_dir_reader_create(&super_, compressor_.get(), file_.get(), 0));
    TRY(made(directories_.get()));
    data_.reset(::sqfs_data_reader_create(file_.get(), super_.block_size, compressor_.get(), 0));
    TRY(made(data_.get()));
    TRY(checked(::sqfs_data_reader_load_fragment_table(data_.get(), &super_)));
    spool_ = TRY(Spool::make(unpack_limit(request_)));
    return Done{};
  }

  void measure(const sqfs_tree_node_t& directory) {
    for (const auto* child = directory.children; child != nullptr; child = child->next) {
      sqfs_u64 size = 0;
      if (::sqfs_inode_get_file_size(child->inode, &size) == 0) total_ += size;
      measure(*child);
    }
  }

  Status read_children(const sqfs_tree_node_t& from, Node& into, int depth) {
    if (depth > 2048) return plain_error(kRead, name_, "its directories are too deep");
    for (const auto* child = from.children; child != nullptr; child = child->next) {
      const std::string name = reinterpret_cast<const char*>(child->name);
      if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
        return plain_error(kRead, name_ + ": " + name, "no entry of a directory is called so");
      }
      TRY(spool_->count_member(name_));
      // One inode under several names is one node.
      NodePtr& known = nodes_[child->inode->base.inode_number];
      const bool directory = S_ISDIR(child->inode->base.mode);
      if (!known || directory) known = TRY(new_node(*child));
      into.children[name] = known;
      if (directory) TRY(read_children(*child, *into.children[name], depth + 1));
    }
    return Done{};
  }

  Result<NodePtr> new_node(const sqfs_tree_node_t& from) {
    const sqfs_inode_generic_t& inode = *from.inode;
    auto node = std::make_shared<Node>();
    node->mode = inode.base.mode & 07777;
    node->uid = from.uid;
    node->gid = from.gid;
    node->mtime = inode.base.mod_time;
    switch (inode.base.mode & S_IFMT) {
      case S_IFDIR: node->kind = Node::Kind::kDirectory; break;
      case S_IFLNK:
        node->kind = Node::Kind::kSymlink;
        node->target = reinterpret_cast<const char*>(inode.extra);
        break;
      case S_IFCHR: node->kind = Node::Kind::kCharDevice; break;
      case S_IFBLK: node->kind = Node::Kind::kBlockDevice; break;
      case S_IFIFO: node->kind = Node::Kind::kFifo; break;
      case S_IFSOCK: node->kind = Node::Kind::kSocket; break;
      default: TRY(read_file(inode, *node, reinterpret_cast<const char*>(from.name)));
    }
    return node;
  }

  Status read_file(const sqfs_inode_generic_t& inode, Node& node, const std::string& name) {
    sqfs_u64 size = 0;
    TRY(checked(::sqfs_inode_get_file_size(&inode, &size)));
    std::string buffer(1 << 20, '\0');
    for (std::uint64_t at = 0; at < size;) {
      const auto want = static_cast<sqfs_u32>(std::min<std::uint64_t>(buffer.size(), size - at));
      const sqfs_s32 got = ::sqfs_data_reader_read(data_.get(), &inode, at, buffer.data(), want);
      TRY(checked(got));
      if (got == 0) return plain_error(kRead, name_ + ": " + name, "the file is cut short");
      TRY(spool_->write({buffer.data(), static_cast<std::size_t>(got)}, at, name_ + ": " + name));
      at += static_cast<std::uint64_t>(got);
      done_ += static_cast<std::uint64_t>(got);
      if (request_.report) request_.report({"reading the AppImage", done_, total_});
    }
    node.size = size;
    node.content = TRY(spool_->finish(size, name));
    return Done{};
  }

  std::string name_;
  const SourceRequest& request_;
  int io_errno_ = 0;
  sqfs_super_t super_{};
  Sqfs<sqfs_file_t> file_;
  Sqfs<sqfs_compressor_t> compressor_;
  Sqfs<sqfs_id_table_t> ids_;
  Sqfs<sqfs_dir_reader_t> directories_;
  Sqfs<sqfs_data_reader_t> data_;
  std::shared_ptr<Spool> spool_;
  std::map<sqfs_u32, NodePtr> nodes_;
  std::uint64_t done_ = 0, total_ = 0;
};

bool is_first_type(int fd) {
  char magic[3] = {};
  return ::pread(fd, magic, sizeof magic, 8) == 3 && std::memcmp(magic, "AI\1", 3) == 0;
}

// A file of ours says itself what it runs.
Policy own_policy(const Tree& tree) {
  const NodePtr file = tree.find(kPolicyPath);
  if (!file || !file->is_file() || file->size > kPolicyMaximum) return {};
  std::string bytes(file->size, '\0');
  const auto content = file->content.open();
  if (!content.ok() || !content.value().read_at(0, bytes.data(), bytes.size()).ok()) return {};
  auto policy = decode_policy(bytes);
  return policy.ok() ? policy.value() : Policy{};
}

}  // namespace

Result<Source> read_appimage(const std::string& path, const SourceRequest& request) {
  const os::Fd file = TRY(os::open_at(AT_FDCWD, path, O_RDONLY));
  char magic[4] = {};
  const bool bare = ::pread(file.get(), magic, 4, 0) == 4 && std::memcmp(magic, "hsqs", 4) == 0;
  if (is_first_type(file.get())) {
    return plain_error(kRead, path, "an AppImage of type 1, an ISO 9660 image",
                       "unpack it (bsdtar -x) and pack the directory as appdir:");
  }
  Payload payload{file.get(), 0, 0};
  if (!bare) {
    auto found = find_payload(file.get(), path);
    if (!found.ok()) {
      Error error = found.error();
      error.hint = "SOURCE is a program; a tool is packed with all that it needs: dir:, deb:, ...";
      return error;
    }
    payload = found.value();
  }
  Source source;
  source.kind = Source::Kind::kAppImage;
  source.path = path;
  source.tree = TRY(Reader(file.get(), payload, path, request).run());
  source.policy = own_policy(source.tree);
  const bool ours = source.tree.find(".rootlet") != nullptr;
  source.tree.root().children.erase(".rootlet");
  if (!ours && !source.tree.find("AppRun")) source.kind = Source::Kind::kDirectory;
  if (!ours && source.tree.find("AppRun")) {
    // Its own AppRun is the entry; policy_of an AppDir says the rest.
    source.kind = request.with_root.empty() ? Source::Kind::kAppDir : Source::Kind::kAppImage;
  }
  return source;
}

}  // namespace rootlet::packaging
