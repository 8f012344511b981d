// SPDX-License-Identifier: MIT
#include "packaging/image_tree.hpp"

#include <elf.h>
#include <sys/stat.h>

#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "runtime/image/file_reader.hpp"
#include "runtime/image/names.hpp"
#include "runtime/image/squashfuse.hpp"
#include "runtime/image/xattrs.hpp"
#include "runtime/run/source.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::string_view kRead = "read the image";
// Deeper trees than any real one; a loop in the directory table ends here.
constexpr std::size_t kMaximumDepth = 256;
// Of decoded blocks: fragments are shared by files that lie near each other.
constexpr std::size_t kCache = 16u << 20;

Error damaged(const std::string& path) {
  return plain_error(kRead, "/" + path, "the image is damaged there", "copy or download it again");
}

// The image as long as a file of its tree is to be read.
struct Opened {
  explicit Opened(Source&& opened) : source(std::move(opened)) {}
  Source source;
  image::FileReader reader{source.image->raw(), kCache};
};

class FileOfImage : public Reading {
 public:
  FileOfImage(std::shared_ptr<Opened> image, const sqfs_inode& inode, std::string path)
      : image_(std::move(image)), inode_(inode), path_(std::move(path)) {}

  Status read_at(std::uint64_t offset, char* out, std::size_t size) const override {
    if (!file_) file_ = image_->reader.open(inode_);
    if (!file_ || offset > file_->size || size > file_->size - offset ||
        !image_->reader.read(*file_, offset, size, out)) {
      return damaged(path_);
    }
    return Done{};
  }

 private:
  std::shared_ptr<Opened> image_;
  sqfs_inode inode_;
  std::string path_;
  mutable image::FilePointer file_;
};

class Walk {
 public:
  explicit Walk(std::shared_ptr<Opened> image)
      : image_(std::move(image)), fs_(image_->source.image->raw()) {}

  Result<Tree> run() {
    Tree tree;
    sqfs_inode root{};
    if (sqfs_inode_get(fs_, &root, sqfs_inode_root(fs_)) != SQFS_OK) return damaged("");
    TRY(describe(root, "", tree.root()));
    TRY(directory(root, "", tree.root(), 0));
    return tree;
  }

 private:
  Status directory(sqfs_inode& inode, const std::string& path, Node& into, std::size_t depth) {
    // Each has one name: a second is a loop.
    if (depth > kMaximumDepth || !directories_.insert(inode.base.inode_number).second) {
      return damaged(path);
    }
    sqfs_dir stream;
    sqfs_name name;
    sqfs_dir_entry entry;
    sqfs_err code = SQFS_OK;
    sqfs_dentry_init(&entry, name);
    if (sqfs_dir_open(fs_, &inode, &stream, 0) != SQFS_OK) return damaged(path);
    while (sqfs_dir_next(fs_, &stream, &entry, &code)) {
      if (!image::is_possible(entry)) return damaged(path);
      const std::string found(sqfs_dentry_name(&entry), sqfs_dentry_name_size(&entry));
      TRY(add(sqfs_dentry_inode(&entry), path.empty() ? found : path + "/" + found, found, into,
              depth));
    }
    if (code != SQFS_OK) return damaged(path);
    return Done{};
  }

  Status add(sqfs_inode_id id, const std::string& path, const std::string& name, Node& into,
             std::size_t depth) {
    sqfs_inode inode{};
    if (sqfs_inode_get(fs_, &inode, id) != SQFS_OK) return damaged(path);
    NodePtr& node = into.children[name];
    if (inode.nlink > 1 && !S_ISDIR(inode.base.mode)) {
      NodePtr& known = links_[inode.base.inode_number];
      if (known) {
        node = known;
        return Done{};
      }
      known = node = std::make_shared<Node>();
    } else {
      node = std::make_shared<Node>();
    }
    Node& made = *node;  // the map may grow below
    TRY(describe(inode, path, made));
    return made.is_directory() ? directory(inode, path, made, depth + 1) : Done{};
  }

  Status describe(sqfs_inode& inode, const std::string& path, Node& node) {
    node.kind = kind_of(inode.base.mode);
    node.mode = inode.base.mode & 07777;
    node.mtime = inode.base.mtime;
    if (sqfs_id_get(fs_, inode.base.uid, &node.uid) != SQFS_OK ||
        sqfs_id_get(fs_, inode.base.guid, &node.gid) != SQFS_OK) {
      return damaged(path);
    }
    if (node.is_symlink()) {
      char target[4096];
      std::size_t size = sizeof target;
      if (sqfs_readlink(fs_, &inode, target, &size) != SQFS_OK) return damaged(path);
      node.target = target;
    } else if (node.is_file()) {
      node.size = inode.xtra.reg.file_size;
      node.content = Content::of_reading(std::make_shared<FileOfImage>(image_, inode, path));
    } else if (node.kind == Node::Kind::kCharDevice || node.kind == Node::Kind::kBlockDevice) {
      node.major = static_cast<unsigned>(inode.xtra.dev.major);
      node.minor = static_cast<unsigned>(inode.xtra.dev.minor);
    }
    return read_xattrs(inode, path, node);
  }

  Status read_xattrs(sqfs_inode& inode, const std::string& path, Node& node) {
    std::string names;
    if (!image::find_names(fs_, inode, names)) return damaged(path);
    for (std::size_t at = 0; at < names.size();) {
      const std::string name = names.c_str() + at;
      at += name.size() + 1;
      if (!image::find_value(fs_, inode, name, node.xattrs[name])) return damaged(path);
    }
    return Done{};
  }

  std::shared_ptr<Opened> image_;
  sqfs* fs_;
  std::unordered_set<std::uint32_t> directories_;
  std::unordered_map<std::uint32_t, NodePtr> links_;
};

// e_machine of the program in front of the payload.
std::uint16_t machine_of(const Source& source) {
  Elf64_Ehdr header{};
  if (source.payload.offset < sizeof header ||
      ::pread(source.fd.get(), &header, sizeof header, 0) != sizeof header ||
      std::string_view(reinterpret_cast<const char*>(header.e_ident), SELFMAG) != ELFMAG) {
    return 0;
  }
  return header.e_machine;
}

}  // namespace

Result<PackedImage> read_image_tree(const std::string& text) {
  PackedImage packed;
  auto image = std::make_shared<Opened>(TRY(open_source(text)));
  Source& source = image->source;
  if (!source.image) return plain_error(kRead, text, "a directory, not an image");
  packed.file = source.file;
  packed.bytes = source.payload.length;
  packed.machine = machine_of(source);
  packed.policy = TRY(read_policy(source));
  packed.digest = source.reader()(std::string(kDigestPath)).value_or("");
  packed.tree = TRY(Walk(std::move(image)).run());
  return packed;
}

}  // namespace rootlet::packaging
