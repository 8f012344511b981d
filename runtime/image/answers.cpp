// SPDX-License-Identifier: MIT
#include "runtime/image/answers.hpp"

#include <malloc.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cstring>

#include "runtime/image/answer_parts.hpp"
#include "runtime/image/crew.hpp"
#include "runtime/image/server.hpp"

// The image never changes, so every answer may be kept for ever, and most
// questions need not be asked twice: OPEN, OPENDIR, FLUSH and the xattr calls
// are answered ENOSYS once, after which the kernel answers them itself
// (kernel: fs/fuse; FUSE_NO_OPEN_SUPPORT 3.16, FUSE_NO_OPENDIR_SUPPORT 5.1). FLUSH
// matters beyond speed: its wait cannot be killed, so a tool could hang on a
// stopped server.
namespace rootlet::image {

constexpr double kForEver = 1e9;  // seconds

namespace {

// And no more of free memory than a sixteenth.
std::size_t cache_budget() {
  struct sysinfo memory {};
  if (::sysinfo(&memory) != 0) return cache_limit();
  return std::clamp<std::size_t>((memory.freeram + memory.bufferram) * memory.mem_unit / 16, 1,
                                 std::max<std::size_t>(cache_limit(), 1));
}

// A squashfs inode id is 48 bits and starts at 0; FUSE reserves 0 (none) and
// 1 (the root).
fuse_ino_t to_node(const Answers& a, sqfs_inode_id id) {
  return id == sqfs_inode_root(a.fs) ? FUSE_ROOT_ID : id + 2;
}
}  // namespace

// Some 128 blocks of the usual size. Each was handed to the kernel's page cache
// too; this is for readers who take less than a block.
std::size_t& cache_limit() {
  static std::size_t limit = 16u << 20;
  return limit;
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

namespace {

struct stat to_stat(const Answers& a, const sqfs_inode& inode) {
  struct stat out {};
  out.st_ino = inode.base.inode_number;
  out.st_mode = inode.base.mode;
  out.st_nlink = static_cast<nlink_t>(inode.nlink);
  out.st_uid = a.owner.uid;
  out.st_gid = a.owner.gid;
  out.st_mtim.tv_sec = out.st_ctim.tv_sec = out.st_atim.tv_sec = inode.base.mtime;
  out.st_blksize = static_cast<blksize_t>(a.fs->sb.block_size);
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

}  // namespace

fuse_entry_param to_entry(const Answers& a, sqfs_inode_id id) {
  fuse_entry_param entry{};
  entry.ino = to_node(a, id);
  entry.attr = to_stat(a, get_inode(a, entry.ino));
  entry.attr_timeout = entry.entry_timeout = kForEver;
  return entry;
}

namespace {

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
  static_cast<Answers*>(userdata)->never_opens =
      (connection->capable & FUSE_CAP_NO_OPENDIR_SUPPORT) != 0;
}

int look_up(Answers& a, fuse_ino_t parent, const char* name, fuse_entry_param& entry,
            std::vector<std::uint64_t>& stale) {
  const std::lock_guard hold(a.reader.library());
  sqfs_inode directory = get_inode(a, parent);
  if (!S_ISDIR(directory.base.mode)) return ENOTDIR;
  sqfs_name buffer;
  sqfs_dir_entry found;
  sqfs_dentry_init(&found, buffer);
  bool exists = false;
  if (sqfs_dir_lookup(a.fs, &directory, name, std::strlen(name), &found, &exists) != SQFS_OK) {
    a.give_up("the image is damaged: a directory cannot be read");
  }
  if (!exists) return 0;
  entry = to_entry(a, sqfs_dentry_inode(&found));
  if (!S_ISDIR(entry.attr.st_mode) && a.walkers.asked(parent)) stale = a.walkers.take_listings();
  return 0;
}

void lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  Answers& a = answers(request);
  fuse_entry_param entry{};  // node 0: there is no such name, and never will be
  entry.entry_timeout = kForEver;
  std::vector<std::uint64_t> stale;
  if (const int code = look_up(a, parent, name, entry, stale); code != 0) {
    fuse_reply_err(request, code);
  } else {
    fuse_reply_entry(request, &entry);
  }
  if (!stale.empty()) a.crew->list_anew(std::move(stale));
}

void forget(fuse_req_t request, fuse_ino_t, std::uint64_t) { fuse_reply_none(request); }
void forget_multi(fuse_req_t request, std::size_t, fuse_forget_data*) { fuse_reply_none(request); }

void getattr(fuse_req_t request, fuse_ino_t node, fuse_file_info*) {
  Answers& a = answers(request);
  struct stat attributes {};
  {
    const std::lock_guard hold(a.reader.library());
    attributes = to_stat(a, get_inode(a, node));
  }
  fuse_reply_attr(request, &attributes, kForEver);
}

// The kernel takes a target of at most one page less its NUL.
using Target = char[4096];

bool read_target(Answers& a, fuse_ino_t node, Target& target) {
  const std::lock_guard hold(a.reader.library());
  sqfs_inode inode = get_inode(a, node);
  std::size_t size = sizeof target;
  if (!S_ISLNK(inode.base.mode) || inode.xtra.symlink_size >= sizeof target) return false;
  if (sqfs_readlink(a.fs, &inode, target, &size) != SQFS_OK) {
    a.give_up("the image is damaged: a symlink cannot be read");
  }
  return true;
}

void readlink(fuse_req_t request, fuse_ino_t node) {
  Target target;
  if (read_target(answers(request), node, target)) {
    fuse_reply_readlink(request, target);
  } else {
    fuse_reply_err(request, EINVAL);
  }
}

// Before Linux 5.1 ENOSYS would be the tool's answer.
void opendir(fuse_req_t request, fuse_ino_t, fuse_file_info* file) {
  if (answers(request).never_opens) {
    fuse_reply_err(request, ENOSYS);
    return;
  }
  file->keep_cache = file->cache_readdir = 1;
  fuse_reply_open(request, file);
}

void not_needed(fuse_req_t request, fuse_ino_t, fuse_file_info*) {
  fuse_reply_err(request, ENOSYS);
}

void read(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset, fuse_file_info*) {
  Answers& a = answers(request);
  bool damaged = false;
  const std::uint64_t id = to_inode(a, node);
  const FilePointer file = a.reader.find(id, damaged);
  if (damaged) a.give_up("the image is damaged: an inode cannot be read");
  if (file == nullptr) {
    fuse_reply_err(request, EINVAL);
    return;
  }
  const auto start = static_cast<std::uint64_t>(offset);
  if (offset < 0 || start >= file->size) {
    fuse_reply_buf(request, nullptr, 0);
    return;
  }
  const std::uint64_t end = std::min<std::uint64_t>(start + size, file->size);
  Stretch stretch;
  if (!a.reader.gather(*file, start, end, a.crew, stretch)) {
    a.give_up("the image is damaged: a block cannot be read");
  }
  fuse_reply_iov(request, stretch.parts.data(), static_cast<int>(stretch.parts.size()));
  a.reader.look_ahead(*file, id, start, end, *a.crew);
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
  table.opendir = opendir;
  table.readdir = readdir;
  table.readdirplus = readdirplus;
  table.statfs = statfs;
  table.getxattr = getxattr;
  table.listxattr = listxattr;
  return table;
}

}  // namespace

Answers::Answers(sqfs* image, Owner files_owner, void (*on_damage)(const char*))
    : fs(image), reader(image, cache_budget()), owner(files_owner), give_up(on_damage) {}

void Answers::on_idle() {
  reader.release();
  {
    const std::lock_guard hold(reader.library());
    walkers.forget();
  }
  ::malloc_trim(0);
}

fuse_session* new_session(Answers& answers) {
  char program[] = "rootlet";
  char* arguments[] = {program, nullptr};
  fuse_args args = FUSE_ARGS_INIT(1, arguments);
  const fuse_lowlevel_ops table = make_table();  // libfuse copies it
  return ::fuse_session_new(&args, &table, sizeof table, &answers);
}

}  // namespace rootlet::image
