// SPDX-License-Identifier: MIT
#include "packaging/squashfs.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <thread>
#include <unordered_map>

#include "packaging/content_hash.hpp"
#include "packaging/squashfs_objects.hpp"
#include "packaging/tree_digest.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::uint32_t kNoXattr = 0xffffffff;
// Loop devices and pages work on 4 KiB; mksquashfs pads to it, too.
constexpr std::uint64_t kPadding = 4096;
// Blocks that may be under way for each thread, and in all. libsquashfs takes them
// back in order, and the end of each small file counts as one: some 40 of them fill
// a fragment block. With its usual 10 a thread a tree of small files has no second
// fragment block under way while the first is being compressed, and all threads but
// one wait (Python's library, two threads: see docs/packaging.md). A block is held
// in memory whole.
constexpr unsigned kBacklog = 128, kLargestBacklog = 2048;

// Of a node while it is written: where its inode went.
struct Written {
  Written() = default;
  Written(const Written&) = delete;
  Written& operator=(const Written&) = delete;
  ~Written() { sqfs_free(file); }

  // A file's inode. Raw, because the block processor keeps a pointer to this
  // member and moves the inode as it grows.
  sqfs_inode_generic_t* file = nullptr;
  std::uint32_t links = 0;
  std::uint32_t number = 0;  // 0: none yet
  std::uint64_t reference = 0;
  bool placed = false;  // in the inode table, at `reference`
};

class Writer {
 public:
  Writer(const Tree& tree, int fd, const SquashfsOptions& options)
      : tree_(tree),
        options_(options),
        file_(make_sqfs_file(fd, options.offset, &io_errno_)),
        store_(make_store_compressor()) {}

  Result<SquashfsStats> run() {
    count();
    TRY(begin());
    TRY(write_data());
    TRY(write_inodes());
    TRY(write_tables());
    return SquashfsStats{super_.bytes_used, total_, super_.inode_count};
  }

 private:
  Status checked(int code) const {
    if (code < 0) return sqfs_failure(code, io_errno_);
    return Done{};
  }
  Status made(const void* object) const { return checked(object ? 0 : SQFS_ERROR_ALLOC); }

  void count() {
    ++written_[&tree_.root()].links;
    tree_.each([this](const std::string&, const NodePtr& node) {
      Written& entry = written_[node.get()];
      if (entry.links++ == 0 && node->is_file()) total_ += node->size;
    });
  }

  Status begin() {
    TRY(checked(sqfs_super_init(&super_, options_.block_size, options_.time, SQFS_COMP_ZSTD)));
    TRY(checked(sqfs_super_write(&super_, file_.get())));  // the place; its content comes last
    sqfs_compressor_config_t config;
    TRY(checked(sqfs_compressor_config_init(&config, SQFS_COMP_ZSTD, options_.block_size, 0)));
    config.level = options_.level;
    compressor_ = TRY(make_compressor(config));
    config.flags |= SQFS_COMP_FLAG_UNCOMPRESS;
    uncompressor_ = TRY(make_compressor(config));
    const int options_size = compressor_->write_options(compressor_.get(), file_.get());
    TRY(checked(options_size));
    if (options_size > 0) super_.flags |= SQFS_FLAG_COMPRESSOR_OPTIONS;

    blocks_.reset(sqfs_block_writer_create(file_.get(), SQFS_DEVBLK_SIZE, 0));
    TRY(made(blocks_.get()));
    fragments_.reset(sqfs_frag_table_create(0));
    TRY(made(fragments_.get()));
    ids_.reset(sqfs_id_table_create(0));
    TRY(made(ids_.get()));
    xattrs_.reset(sqfs_xattr_writer_create(0));
    return made(xattrs_.get());
  }

  Result<Sqfs<sqfs_compressor_t>> make_compressor(const sqfs_compressor_config_t& config) const {
    sqfs_compressor_t* raw = nullptr;
    TRY(checked(sqfs_compressor_create(&config, &raw)));
    return Sqfs<sqfs_compressor_t>(raw);
  }

  Result<Sqfs<sqfs_block_processor_t>> make_processor() const {
    sqfs_block_processor_desc_t desc{};
    desc.size = sizeof desc;
    desc.max_block_size = options_.block_size;
    desc.num_workers = options_.threads != 0 ? options_.threads
                                             : std::max(1u, std::thread::hardware_concurrency());
    desc.max_backlog = std::min(kBacklog * desc.num_workers, kLargestBacklog);
    desc.cmp = compressor_.get();
    desc.wr = blocks_.get();
    desc.tbl = fragments_.get();
    desc.file = file_.get();  // duplicates are compared byte by byte, not by hash alone
    desc.uncmp = uncompressor_.get();
    sqfs_block_processor_t* raw = nullptr;
    TRY(checked(sqfs_block_processor_create_ex(&desc, &raw)));
    return Sqfs<sqfs_block_processor_t>(raw);
  }

  // The files for the start, then all others in the order of their names.
  Status write_data() {
    const auto processor = TRY(make_processor());
    for (const NodePtr& node : options_.first) {
      TRY(write_file(*processor, *node, SQFS_BLK_DONT_COMPRESS | SQFS_BLK_DONT_FRAGMENT));
    }
    for (const NodePtr& node : options_.next) TRY(write_file(*processor, *node, 0));
    Status status = Done{};
    tree_.each([&](const std::string&, const NodePtr& node) {
      if (status.ok() && node != options_.digest) status = write_file(*processor, *node, 0);
    });
    if (!status.ok()) return status;
    if (options_.digest) {
      options_.digest->content = Content::of_text(digest_of(tree_, digests_));
      TRY(write_file(*processor, *options_.digest, 0));
    }
    return checked(sqfs_block_processor_finish(processor.get()));
  }

  Status write_file(sqfs_block_processor_t& processor, const Node& node, std::uint32_t flags) {
    Written& written = written_[&node];
    if (!node.is_file() || written.file != nullptr) return Done{};
    const OpenContent content = TRY(node.content.open());
    TRY(checked(sqfs_block_processor_begin_file(&processor, &written.file, nullptr, flags)));
    std::vector<char>& buffer = buffer_;
    for (std::uint64_t at = 0; at < node.size;) {
      const std::size_t size = std::min<std::uint64_t>(buffer.size(), node.size - at);
      TRY(content.read_at(at, buffer.data(), size));
      TRY(checked(sqfs_block_processor_append(&processor, buffer.data(), size)));
      if (options_.digest) sum_.add({buffer.data(), size});
      at += size;
      done_ += size;
      if (options_.progress) options_.progress(done_, total_);
    }
    if (options_.digest) digests_[&node] = sum_.finish();
    return checked(sqfs_block_processor_end_file(&processor));
  }

  Status write_inodes() {
    inodes_.reset(sqfs_meta_writer_create(file_.get(), store_.get(), 0));
    TRY(made(inodes_.get()));
    directories_.reset(
        sqfs_meta_writer_create(file_.get(), store_.get(), SQFS_META_WRITER_KEEP_IN_MEMORY));
    TRY(made(directories_.get()));
    entries_.reset(sqfs_dir_writer_create(directories_.get(), SQFS_DIR_WRITER_CREATE_EXPORT_TABLE));
    TRY(made(entries_.get()));

    super_.flags |= SQFS_FLAG_UNCOMPRESSED_INODES;
    super_.inode_table_start = file_->get_size(file_.get());
    // A directory's inode names its parent's number, which is written later:
    // numbers are given out first.
    number(tree_.root());
    TRY(write_directory(tree_.root(), super_.inode_count + 1));
    super_.root_inode_ref = written_[&tree_.root()].reference;
    TRY(checked(sqfs_meta_writer_flush(inodes_.get())));
    super_.directory_table_start = file_->get_size(file_.get());
    TRY(checked(sqfs_meta_writer_flush(directories_.get())));
    return checked(sqfs_meta_write_write_to_file(directories_.get()));
  }

  // Entries of one directory get consecutive numbers, as squashfs stores them
  // as small differences.
  void number(const Node& directory) {
    for (const auto& [name, node] : directory.children) {
      if (node->is_directory()) number(*node);
    }
    for (const auto& [name, node] : directory.children) {
      Written& written = written_[node.get()];
      if (written.number == 0) written.number = ++super_.inode_count;
    }
    if (&directory == &tree_.root()) written_[&directory].number = ++super_.inode_count;
  }

  Status write_directory(const Node& directory, std::uint32_t parent) {
    const std::uint32_t self = written_[&directory].number;
    std::uint32_t links = 2;
    for (const auto& [name, node] : directory.children) {
      if (!node->is_directory()) continue;
      ++links;
      TRY(write_directory(*node, self));
    }
    for (const auto& [name, node] : directory.children) {
      if (!node->is_directory()) TRY(write_node(*node));
    }
    TRY(checked(sqfs_dir_writer_begin(entries_.get(), 0)));
    for (const auto& [name, node] : directory.children) {
      const Written& entry = written_[node.get()];
      TRY(checked(sqfs_dir_writer_add_entry(entries_.get(), name.c_str(), entry.number,
                                            entry.reference,
                                            static_cast<sqfs_u16>(type_bits(node->kind)))));
    }
    TRY(checked(sqfs_dir_writer_end(entries_.get())));
    const std::uint32_t xattr = TRY(xattr_index(directory));
    const Inode inode(sqfs_dir_writer_create_inode(entries_.get(), 0, xattr, parent));
    TRY(made(inode.get()));
    // libsquashfs counts every entry as a link; find(1) and friends expect the
    // directories alone, and themselves.
    (inode->base.type == SQFS_INODE_DIR ? inode->data.dir.nlink : inode->data.dir_ext.nlink) =
        links;
    return finish(directory, *inode);
  }

  Status write_node(const Node& node) {
    Written& written = written_[&node];
    if (written.placed) return Done{};
    const Inode made_here(node.is_file() ? nullptr : make_inode(node));
    sqfs_inode_generic_t* inode = node.is_file() ? written.file : made_here.get();
    TRY(made(inode));
    if (written.links > 1) TRY(set_links(*inode, node, written.links));
    const std::uint32_t xattr = TRY(xattr_index(node));
    if (xattr != kNoXattr) TRY(checked(sqfs_inode_set_xattr_index(inode, xattr)));
    return finish(node, *inode);
  }

  Status set_links(sqfs_inode_generic_t& inode, const Node& node, std::uint32_t links) const {
    if (!node.is_file()) {
      inode.data.ipc.nlink = links;
      return Done{};
    }
    // Only the extended inode of a file counts its links.
    TRY(checked(sqfs_inode_make_extended(&inode)));
    inode.data.file_ext.nlink = links;
    return Done{};
  }

  Result<std::uint32_t> xattr_index(const Node& node) {
    if (node.xattrs.empty()) return kNoXattr;
    TRY(checked(sqfs_xattr_writer_begin(xattrs_.get(), 0)));
    for (const auto& [name, value] : node.xattrs) {
      TRY(checked(sqfs_xattr_writer_add(xattrs_.get(), name.c_str(), value.data(), value.size())));
    }
    std::uint32_t index = kNoXattr;
    TRY(checked(sqfs_xattr_writer_end(xattrs_.get(), &index)));
    return index;
  }

  // What all inodes share; then the inode goes into the table.
  Status finish(const Node& node, sqfs_inode_generic_t& inode) {
    constexpr std::int64_t kLatest = std::numeric_limits<std::uint32_t>::max();
    inode.base.mode = static_cast<sqfs_u16>(type_bits(node.kind) | node.mode);
    inode.base.mod_time = static_cast<sqfs_u32>(std::clamp<std::int64_t>(node.mtime, 0, kLatest));
    inode.base.inode_number = written_[&node].number;
    TRY(checked(sqfs_id_table_id_to_index(ids_.get(), node.uid, &inode.base.uid_idx)));
    TRY(checked(sqfs_id_table_id_to_index(ids_.get(), node.gid, &inode.base.gid_idx)));

    std::uint64_t block = 0;
    std::uint32_t offset = 0;
    sqfs_meta_writer_get_position(inodes_.get(), &block, &offset);
    written_[&node].reference = (block << 16) | offset;
    written_[&node].placed = true;
    return checked(sqfs_meta_writer_write_inode(inodes_.get(), &inode));
  }

  Status write_tables() {
    TRY(checked(sqfs_frag_table_write(fragments_.get(), file_.get(), &super_, compressor_.get())));
    TRY(checked(sqfs_dir_writer_write_export_table(entries_.get(), file_.get(), compressor_.get(),
                                                   written_[&tree_.root()].number,
                                                   super_.root_inode_ref, &super_)));
    TRY(checked(sqfs_id_table_write(ids_.get(), file_.get(), &super_, compressor_.get())));
    TRY(checked(sqfs_xattr_writer_flush(xattrs_.get(), file_.get(), &super_, compressor_.get())));
    super_.bytes_used = file_->get_size(file_.get());
    TRY(checked(sqfs_super_write(&super_, file_.get())));

    const std::array<char, kPadding> zeros{};
    const std::uint64_t rest = super_.bytes_used % kPadding;
    if (rest == 0) return Done{};
    return checked(file_->write_at(file_.get(), super_.bytes_used, zeros.data(), kPadding - rest));
  }

  const Tree& tree_;
  const SquashfsOptions& options_;
  int io_errno_ = 0;
  std::unordered_map<const Node*, Written> written_;
  std::uint64_t done_ = 0, total_ = 0;
  std::vector<char> buffer_ = std::vector<char>(1 << 20);
  ContentHash sum_;
  FileDigests digests_;
  sqfs_super_t super_{};
  Sqfs<sqfs_file_t> file_;
  Sqfs<sqfs_compressor_t> store_, compressor_, uncompressor_;
  Sqfs<sqfs_block_writer_t> blocks_;
  Sqfs<sqfs_frag_table_t> fragments_;
  Sqfs<sqfs_id_table_t> ids_;
  Sqfs<sqfs_xattr_writer_t> xattrs_;
  Sqfs<sqfs_meta_writer_t> inodes_, directories_;
  Sqfs<sqfs_dir_writer_t> entries_;
};

}  // namespace

Result<SquashfsStats> write_squashfs(const Tree& tree, int fd, const SquashfsOptions& options) {
  return Writer(tree, fd, options).run();
}

}  // namespace rootlet::packaging
