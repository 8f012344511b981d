// SPDX-License-Identifier: MIT
#include "runtime/image/answers.hpp"

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "runtime/image/squashfuse.hpp"

// The image never changes, so every answer may be kept for ever, and most
// questions need not be asked twice: OPEN, OPENDIR, FLUSH and the xattr calls
// are answered ENOSYS once, after which the kernel answers them itself
// (kernel: fs/fuse; FUSE_NO_OPEN_SUPPORT 3.16, FUSE_NO_OPENDIR_SUPPORT 5.1). FLUSH
// matters beyond speed: its wait cannot be killed, so a tool could hang on a
// stopped server.
namespace rootlet::image {
namespace {

constexpr double kForEver = 1e9;  // seconds

Answers& answers(fuse_req_t request) { return *static_cast<Answers*>(fuse_req_userdata(request)); }

// A squashfs inode id is 48 bits and starts at 0; FUSE reserves 0 (none) and
// 1 (the root).
fuse_ino_t to_node(const Answers& a, sqfs_inode_id id) {
  return id == sqfs_inode_root(a.fs) ? FUSE_ROOT_ID : id + 2;
}
sqfs_inode_id to_inode(const Answers& a, fuse_ino_t node) {
  return node == FUSE_ROOT_ID ? sqfs_inode_root(a.fs) : node - 2;
}

sqfs_inode get_inode(const Answers& a, fuse_ino_t node) {
  sqfs_inode inode{};
  if (sqfs_inode_get(a.fs, &inode, to_inode(a, node)) != SQFS_OK) {
    a.give_up("the image is damaged: an inode cannot be read");
  }
  return inode;
}

struct stat to_stat(const Answers& a, const sqfs_inode& inode) {
  struct stat out {};
  out.st_ino = inode.base.inode_number;
  out.st_mode = inode.base.mode;
  out.st_nlink = static_cast<nlink_t>(inode.nlink);
  out.st_uid = a.owner.uid;
  out.st_gid = a.owner.gid;
  out.st_mtim.tv_sec = out.st_ctim.tv_sec = out.st_atim.tv_sec = inode.base.mtime;
  out.st_blksize = a.fs->sb.block_size;
  if (S_ISREG(out.st_mode)) {
    out.st_size = static_cast<off_t>(inode.xtra.reg.file_size);
    out.st_blocks = out.st_size / 512;
  } else if (S_ISLNK(out.st_mode)) {
    out.st_size = static_cast<off_t>(inode.xtra.symlink_size);
  } else if (S_ISCHR(out.st_mode) || S_ISBLK(out.st_mode)) {
    out.st_rdev = makedev(static_cast<unsigned>(inode.xtra.dev.major),
                          static_cast<unsigned>(inode.xtra.dev.minor));
  } else if (S_ISDIR(out.st_mode)) {
    // squashfs counts three bytes for "." and ".."; 0 says that it is empty.
    out.st_size = inode.xtra.dir.dir_size > 3 ? inode.xtra.dir.dir_size : 0;
  }
  return out;
}

fuse_entry_param to_entry(const Answers& a, sqfs_inode_id id) {
  fuse_entry_param entry{};
  entry.ino = to_node(a, id);
  entry.attr = to_stat(a, get_inode(a, entry.ino));
  entry.attr_timeout = entry.entry_timeout = kForEver;
  return entry;
}

void init(void* userdata, fuse_conn_info* connection) {
  // Requests are small and answers come from decoded memory: splicing them
  // would only cost two pipes and their system calls.
  connection->want &=
      ~static_cast<unsigned>(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
  const unsigned wanted = FUSE_CAP_NO_OPEN_SUPPORT | FUSE_CAP_NO_OPENDIR_SUPPORT |
                          FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_ASYNC_READ |
                          FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO;
  connection->want |= connection->capable & wanted;
  connection->time_gran = 1000000000;  // squashfs counts whole seconds
  (void)userdata;
}

void lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  const Answers& a = answers(request);
  sqfs_inode directory = get_inode(a, parent);
  if (!S_ISDIR(directory.base.mode)) {
    fuse_reply_err(request, ENOTDIR);
    return;
  }
  sqfs_name buffer;
  sqfs_dir_entry found;
  sqfs_dentry_init(&found, buffer);
  bool exists = false;
  if (sqfs_dir_lookup(a.fs, &directory, name, std::strlen(name), &found, &exists) != SQFS_OK) {
    a.give_up("the image is damaged: a directory cannot be read");
  }
  fuse_entry_param entry{};  // node 0: there is no such name, and never will be
  entry.entry_timeout = kForEver;
  if (exists) entry = to_entry(a, sqfs_dentry_inode(&found));
  fuse_reply_entry(request, &entry);
}

void forget(fuse_req_t request, fuse_ino_t, std::uint64_t) { fuse_reply_none(request); }
void forget_multi(fuse_req_t request, std::size_t, fuse_forget_data*) { fuse_reply_none(request); }

void getattr(fuse_req_t request, fuse_ino_t node, fuse_file_info*) {
  const Answers& a = answers(request);
  const struct stat attributes = to_stat(a, get_inode(a, node));
  fuse_reply_attr(request, &attributes, kForEver);
}

void readlink(fuse_req_t request, fuse_ino_t node) {
  const Answers& a = answers(request);
  sqfs_inode inode = get_inode(a, node);
  // The kernel takes a target of at most one page less its NUL.
  char target[4096];
  std::size_t size = sizeof target;
  if (!S_ISLNK(inode.base.mode) || inode.xtra.symlink_size >= sizeof target) {
    fuse_reply_err(request, EINVAL);
    return;
  }
  if (sqfs_readlink(a.fs, &inode, target, &size) != SQFS_OK) {
    a.give_up("the image is damaged: a symlink cannot be read");
  }
  fuse_reply_readlink(request, target);
}

void not_needed(fuse_req_t request, fuse_ino_t, fuse_file_info*) {
  fuse_reply_err(request, ENOSYS);
}

void read(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset, fuse_file_info*) {
  const Answers& a = answers(request);
  sqfs_inode inode = get_inode(a, node);
  if (!S_ISREG(inode.base.mode)) {
    fuse_reply_err(request, EINVAL);
    return;
  }
  static std::vector<char> buffer;  // one thread, one buffer
  const std::uint64_t end = inode.xtra.reg.file_size;
  const auto start = static_cast<std::uint64_t>(offset);
  if (offset < 0 || start >= end) {
    fuse_reply_buf(request, nullptr, 0);
    return;
  }
  const std::size_t count = std::min<std::uint64_t>(size, end - start);
  if (buffer.size() < count) buffer.resize(count);
  if (!a.reader->read(inode, start, count, buffer.data())) {
    a.give_up("the image is damaged: a block cannot be read");
  }
  fuse_reply_buf(request, buffer.data(), count);
}

// One page of a directory listing, with or without attributes.
class Listing {
 public:
  Listing(fuse_req_t request, std::size_t size, bool plus)
      : request_(request), bytes_(size), plus_(plus) {}

  // False when the page is full.
  bool add(const char* name, const fuse_entry_param& entry, off_t next) {
    const std::size_t left = bytes_.size() - used_;
    char* to = bytes_.data() + used_;
    const std::size_t need = plus_ ? fuse_add_direntry_plus(request_, to, left, name, &entry, next)
                                   : fuse_add_direntry(request_, to, left, name, &entry.attr, next);
    if (need > left) return false;
    used_ += need;
    return true;
  }

  void reply() const { fuse_reply_buf(request_, bytes_.data(), used_); }

 private:
  fuse_req_t request_;
  std::vector<char> bytes_;
  std::size_t used_ = 0;
  bool plus_;
};

// Offsets: 0 is ".", 1 is "..", the rest squashfs's own plus two.
void list(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset, bool plus) {
  const Answers& a = answers(request);
  sqfs_inode directory = get_inode(a, node);
  sqfs_dir stream;
  const off_t start = offset > 2 ? offset - 2 : 0;
  if (!S_ISDIR(directory.base.mode)) {
    fuse_reply_err(request, ENOTDIR);
    return;
  }
  if (sqfs_dir_open(a.fs, &directory, &stream, start) != SQFS_OK) {
    a.give_up("the image is damaged: a directory cannot be read");
  }
  Listing page(request, std::min<std::size_t>(size, 1u << 20), plus);

  // Node 0 with READDIRPLUS: the kernel takes name and inode number only,
  // as it must for these two.
  fuse_entry_param dots{};
  dots.attr.st_mode = S_IFDIR;
  dots.attr.st_ino = directory.base.inode_number;
  if (offset < 1 && !page.add(".", dots, 1)) return page.reply();
  dots.attr.st_ino = directory.xtra.dir.parent_inode;
  if (offset < 2 && !page.add("..", dots, 2)) return page.reply();

  sqfs_name name;
  sqfs_dir_entry item;
  sqfs_dentry_init(&item, name);
  sqfs_err code = SQFS_OK;
  while (sqfs_dir_next(a.fs, &stream, &item, &code)) {
    fuse_entry_param entry{};
    if (plus) {
      entry = to_entry(a, sqfs_dentry_inode(&item));
    } else {
      entry.attr.st_mode = sqfs_dentry_mode(&item);
      entry.attr.st_ino = sqfs_dentry_inode_num(&item);
    }
    if (!page.add(sqfs_dentry_name(&item), entry, sqfs_dentry_next_offset(&item) + 2)) break;
  }
  if (code != SQFS_OK) a.give_up("the image is damaged: a directory cannot be read");
  page.reply();
}

void readdir(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset, fuse_file_info*) {
  list(request, node, size, offset, false);
}
void readdirplus(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset,
                 fuse_file_info*) {
  list(request, node, size, offset, true);
}

void statfs(fuse_req_t request, fuse_ino_t) {
  const Answers& a = answers(request);
  struct statvfs out {};
  out.f_bsize = out.f_frsize = a.fs->sb.block_size;
  out.f_blocks = (a.fs->sb.bytes_used + out.f_bsize - 1) / out.f_bsize;
  out.f_files = a.fs->sb.inodes;
  out.f_namemax = SQUASHFS_NAME_LEN;
  fuse_reply_statfs(request, &out);
}

bool has_xattrs(const Answers& a) { return a.fs->xattr_info.xattr_ids != 0; }

// One of the two xattr answers: the size alone where the caller asks for it,
// the bytes where they fit, else ERANGE.
void reply_sized(fuse_req_t request, const std::string& bytes, std::size_t room) {
  if (room == 0) {
    fuse_reply_xattr(request, bytes.size());
  } else if (bytes.size() > room) {
    fuse_reply_err(request, ERANGE);
  } else {
    fuse_reply_buf(request, bytes.data(), bytes.size());
  }
}

void getxattr(fuse_req_t request, fuse_ino_t node, const char* name, std::size_t room) {
  const Answers& a = answers(request);
  if (!has_xattrs(a)) {
    fuse_reply_err(request, ENOSYS);
    return;
  }
  sqfs_inode inode = get_inode(a, node);
  std::string value(65536, '\0');
  std::size_t size = value.size();
  if (sqfs_xattr_lookup(a.fs, &inode, name, value.data(), &size) != SQFS_OK) {
    a.give_up("the image is damaged: an extended attribute cannot be read");
  }
  if (size == 0 || size > value.size()) {
    fuse_reply_err(request, ENODATA);
    return;
  }
  value.resize(size);
  reply_sized(request, value, room);
}

void listxattr(fuse_req_t request, fuse_ino_t node, std::size_t room) {
  const Answers& a = answers(request);
  if (!has_xattrs(a)) {
    fuse_reply_err(request, ENOSYS);
    return;
  }
  sqfs_inode inode = get_inode(a, node);
  sqfs_xattr cursor;
  std::string names;
  bool sound = sqfs_xattr_open(a.fs, &inode, &cursor) == SQFS_OK;
  while (sound && cursor.remain > 0 && names.size() < 65536) {
    sound = sqfs_xattr_read(&cursor) == SQFS_OK;
    std::string name(sound ? sqfs_xattr_name_size(&cursor) : 0, '\0');
    sound = sound && sqfs_xattr_name(&cursor, name.data(), true) == SQFS_OK;
    names += name + '\0';
  }
  if (!sound) a.give_up("the image is damaged: an extended attribute cannot be read");
  reply_sized(request, names, room);
}

fuse_lowlevel_ops make_table() {
  fuse_lowlevel_ops table{};
  table.init = init;
  table.lookup = lookup;
  table.forget = forget;
  table.forget_multi = forget_multi;
  table.getattr = getattr;
  table.readlink = readlink;
  table.open = not_needed;
  table.flush = not_needed;
  table.read = read;
  table.opendir = not_needed;
  table.readdir = readdir;
  table.readdirplus = readdirplus;
  table.statfs = statfs;
  table.getxattr = getxattr;
  table.listxattr = listxattr;
  return table;
}

}  // namespace

const fuse_lowlevel_ops& answer_table() {
  static const fuse_lowlevel_ops table = make_table();
  return table;
}

}  // namespace rootlet::image
