// SPDX-License-Identifier: MIT
#include <algorithm>
#include <vector>

#include "runtime/image/answer_parts.hpp"
#include "runtime/image/names.hpp"

// The answers about what a directory holds.
namespace rootlet::image {
namespace {

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

// Fills a page of the listing. Offsets: 0 is ".", 1 is "..", the rest
// squashfs's own plus two. Returns an errno.
int fill(Answers& a, fuse_ino_t node, off_t offset, bool plus, Listing& page) {
  const std::lock_guard hold(a.reader.library());
  sqfs_inode directory = get_inode(a, node);
  sqfs_dir stream;
  const off_t start = offset > 2 ? offset - 2 : 0;
  if (!S_ISDIR(directory.base.mode)) return ENOTDIR;
  if (sqfs_dir_open(a.fs, &directory, &stream, start) != SQFS_OK) {
    // A tool may seek to where no entry begins: its own mistake, not the image's.
    if (start != 0 && sqfs_dir_open(a.fs, &directory, &stream, 0) == SQFS_OK) return EINVAL;
    a.give_up("the image is damaged: a directory cannot be read");
  }

  // Node 0 with READDIRPLUS: the kernel takes name and inode number only,
  // as it must for these two.
  fuse_entry_param dots{};
  dots.attr.st_mode = S_IFDIR;
  dots.attr.st_ino = directory.base.inode_number;
  if (offset < 1 && !page.add(".", dots, 1)) return 0;
  dots.attr.st_ino = directory.xtra.dir.parent_inode;
  if (offset < 2 && !page.add("..", dots, 2)) return 0;

  sqfs_name name;
  sqfs_dir_entry item;
  sqfs_dentry_init(&item, name);
  sqfs_err code = SQFS_OK;
  const bool all = plus && a.walkers.want_all(node, directory.xtra.dir.dir_size);
  std::size_t by_name_alone = 0;
  while (sqfs_dir_next(a.fs, &stream, &item, &code)) {
    if (!is_possible(item)) a.give_up("the image is damaged: a file has an impossible name");
    fuse_entry_param entry{};
    const bool whole = all || (plus && S_ISDIR(sqfs_dentry_mode(&item)));
    if (whole) {
      entry = to_entry(a, sqfs_dentry_inode(&item));
    } else {
      entry.attr.st_mode = sqfs_dentry_mode(&item);
      entry.attr.st_ino = sqfs_dentry_inode_num(&item);
    }
    if (!page.add(sqfs_dentry_name(&item), entry, sqfs_dentry_next_offset(&item) + 2)) break;
    if (!whole && !S_ISDIR(sqfs_dentry_mode(&item))) ++by_name_alone;
  }
  a.walkers.listed(node, by_name_alone);
  if (code != SQFS_OK) a.give_up("the image is damaged: a directory cannot be read");
  return 0;
}

void list(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset, bool plus) {
  Listing page(request, std::min<std::size_t>(size, 1u << 20), plus);
  if (const int code = fill(answers(request), node, offset, plus, page); code != 0) {
    fuse_reply_err(request, code);
  } else {
    page.reply();
  }
}

}  // namespace

void readdir(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset, fuse_file_info*) {
  list(request, node, size, offset, false);
}
void readdirplus(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset,
                 fuse_file_info*) {
  list(request, node, size, offset, true);
}

}  // namespace rootlet::image
