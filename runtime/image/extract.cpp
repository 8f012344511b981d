// SPDX-License-Identifier: MIT
#include "runtime/image/extract.hpp"

#include <sys/stat.h>

#include <time.h>

#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "runtime/image/extract_content.hpp"
#include "runtime/image/names.hpp"
#include "runtime/image/squashfuse.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet::image {
namespace {

// Deeper trees than any real one; a loop in the directory table ends here.
constexpr std::size_t kMaximumDepth = 256;
// Fragments are shared by files that lie near each other.
constexpr std::size_t kCache = 4u << 20;

struct Item {
  std::string name;
  sqfs_inode_id id;
};

Result<std::vector<Item>> list(sqfs* fs, sqfs_inode& directory, const std::string& path) {
  std::vector<Item> items;
  sqfs_dir stream;
  sqfs_name name;
  sqfs_dir_entry entry;
  sqfs_err code = SQFS_OK;
  sqfs_dentry_init(&entry, name);
  if (sqfs_dir_open(fs, &directory, &stream, 0) != SQFS_OK) return damaged(path);
  while (sqfs_dir_next(fs, &stream, &entry, &code)) {
    Item item{sqfs_dentry_name(&entry), sqfs_dentry_inode(&entry)};
    if (!is_possible(entry)) {
      return plain_error(kUnpack, "/" + path, "it holds an impossible name: " + item.name,
                         "the image was made to do harm, or is damaged");
    }
    items.push_back(std::move(item));
  }
  if (code != SQFS_OK) return damaged(path);
  return items;
}

// Says on a terminal how far it is, once it takes longer than a second.
class Progress {
 public:
  explicit Progress(std::string name)
      : name_(std::move(name)), next_(::isatty(2) ? now() + 1000 : 0) {}
  ~Progress() {
    if (shown_) write("\r\033[K");
  }

  void show(std::uint64_t written) {
    if (next_ == 0 || now() < next_) return;
    next_ = now() + 200;
    shown_ = true;
    write("\r\033[Krootlet: unpacking " + name_ + ": " + std::to_string(written >> 20) + " MiB");
  }

 private:
  static std::uint64_t now() {  // ms
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1000 +
           static_cast<std::uint64_t>(time.tv_nsec) / 1000000;
  }
  static void write(const std::string& text) { (void)os::write_all(2, text, "print"); }

  std::string name_;
  std::uint64_t next_;  // 0: never
  bool shown_ = false;
};

// The tree is made by one thread, the content of its files by several.
class Extraction {
 public:
  Extraction(Squashfs& image, int top, const Wanted& wanted)
      : fs_(image.raw()),
        reader_(fs_, kCache),
        top_(top),
        wanted_(wanted),
        progress_(printable(image.name())) {}

  Status run() {
    sqfs_inode root{};
    if (sqfs_inode_get(fs_, &root, sqfs_inode_root(fs_)) != SQFS_OK) return damaged("");
    TRY(directory(top_, root, "", 0));
    return filling_.complete([this] { progress_.show(filling_.written()); });
  }

 private:
  Status directory(int parent, sqfs_inode& inode, const std::string& path, std::size_t depth) {
    if (depth > kMaximumDepth || !directories_.insert(inode.base.inode_number).second) {
      return damaged(path);
    }
    for (const Item& item : TRY(list_of(inode, path))) {
      TRY(entry(parent, item, path.empty() ? item.name : path + "/" + item.name, depth));
    }
    return Done{};
  }

  Result<std::vector<Item>> list_of(sqfs_inode& inode, const std::string& path) {
    const std::lock_guard hold(reader_.library());
    return list(fs_, inode, path);
  }

  Status entry(int parent, const Item& item, const std::string& path, std::size_t depth) {
    sqfs_inode inode{};
    {
      const std::lock_guard hold(reader_.library());
      if (sqfs_inode_get(fs_, &inode, item.id) != SQFS_OK) return damaged(path);
    }
    const mode_t type = inode.base.mode & S_IFMT;
    if (type == S_IFDIR) return subdirectory(parent, item, inode, path, depth);
    if (wanted_ && !wanted_(path)) return Done{};
    if (type == S_IFREG) return file(parent, item, inode, path);
    if (type == S_IFLNK) return symlink(parent, item, inode, path);
    // A whiteout, which hides a file of the image below: for everyone to make
    // since Linux 5.8 (commit a3c751a50fe6); before, nothing could be laid below.
    if (type == S_IFCHR && inode.xtra.dev.major == 0 && inode.xtra.dev.minor == 0) {
      const int made = ::mknodat(parent, item.name.c_str(), S_IFCHR, 0);
      if (made != 0 && errno != EPERM) return last_error(kUnpack, "/" + path);
    }
    // Device nodes need root, sockets are dead without their server. FIFOs work.
    if (type == S_IFIFO && ::mkfifoat(parent, item.name.c_str(), inode.base.mode & 0777) != 0) {
      return last_error(kUnpack, "/" + path);
    }
    return Done{};
  }

  Status subdirectory(int parent, const Item& item, sqfs_inode& inode, const std::string& path,
                      std::size_t depth) {
    if (::mkdirat(parent, item.name.c_str(), 0700) != 0) {
      return last_error(kUnpack, "/" + path);
    }
    const os::Fd here = TRY(os::open_at(parent, item.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    TRY(directory(here.get(), inode, path, depth + 1));
    return finish(here.get(), inode.base, path);
  }

  Status file(int parent, const Item& item, sqfs_inode& inode, const std::string& path) {
    // A second name of a file that is there already.
    const auto known = links_.find(inode.base.inode_number);
    if (inode.nlink > 1 && known != links_.end()) {
      if (::linkat(top_, known->second.c_str(), parent, item.name.c_str(), 0) == 0) return Done{};
      if (errno != EMLINK) return last_error(kUnpack, "/" + path);
    }
    os::Fd out = TRY(os::open_at(parent, item.name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW));
    if (inode.nlink > 1) links_[inode.base.inode_number] = path;
    FilePointer content = reader_.open(inode);
    if (content == nullptr) return damaged(path);
    progress_.show(filling_.written());
    return filling_.add({std::move(out), std::move(content), path,
                         [base = inode.base, path](int fd) { return finish(fd, base, path); }});
  }

  Status symlink(int parent, const Item& item, sqfs_inode& inode, const std::string& path) {
    char target[4096];
    std::size_t size = sizeof target;
    {
      const std::lock_guard hold(reader_.library());
      if (inode.xtra.symlink_size >= sizeof target ||
          sqfs_readlink(fs_, &inode, target, &size) != SQFS_OK) {
        return damaged(path);
      }
    }
    if (::symlinkat(target, parent, item.name.c_str()) != 0) {
      return last_error(kUnpack, "/" + path);
    }
    const timespec times[2] = {{inode.base.mtime, 0}, {inode.base.mtime, 0}};
    ::utimensat(parent, item.name.c_str(), times,
                AT_SYMLINK_NOFOLLOW);  // times of links are a nicety
    return Done{};
  }

  static Status finish(int fd, const squashfs_base_inode& base, const std::string& path) {
    if (::fchmod(fd, base.mode & 01777) != 0) return last_error(kUnpack, "/" + path);
    const timespec times[2] = {{base.mtime, 0}, {base.mtime, 0}};
    if (::futimens(fd, times) != 0) return last_error(kUnpack, "/" + path);
    return Done{};
  }

  sqfs* fs_;
  FileReader reader_;
  int top_;
  const Wanted& wanted_;
  std::map<std::uint32_t, std::string> links_;
  std::set<std::uint32_t> directories_;  // each has one name: a second is a loop
  Progress progress_;
  Filling filling_{reader_};
};

Status add_sizes(sqfs* fs, sqfs_inode& directory, const std::string& path, std::size_t depth,
                 std::set<std::uint32_t>& seen, std::uint64_t& sum) {
  if (depth > kMaximumDepth) return damaged(path);
  if (!seen.insert(directory.base.inode_number).second) return damaged(path);
  for (const Item& item : TRY(list(fs, directory, path))) {
    sqfs_inode inode{};
    if (sqfs_inode_get(fs, &inode, item.id) != SQFS_OK) return damaged(path);
    if (S_ISREG(inode.base.mode)) {
      if (inode.nlink > 1 && !seen.insert(inode.base.inode_number).second) continue;
      if (__builtin_add_overflow(sum, inode.xtra.reg.file_size, &sum)) return damaged(path);
    } else if (S_ISDIR(inode.base.mode)) {
      TRY(add_sizes(fs, inode, path + "/" + item.name, depth + 1, seen, sum));
    }
  }
  return Done{};
}

}  // namespace

Status extract_all(Squashfs& image, int directory, const Wanted& wanted) {
  return Extraction(image, directory, wanted).run();
}

Result<std::uint64_t> unpacked_size(Squashfs& image) {
  sqfs* fs = image.raw();
  sqfs_inode root{};
  std::uint64_t sum = 0;
  std::set<std::uint32_t> seen;
  if (sqfs_inode_get(fs, &root, sqfs_inode_root(fs)) != SQFS_OK) return damaged("");
  TRY(add_sizes(fs, root, "", 0, seen, sum));
  return sum;
}

}  // namespace rootlet::image
