// SPDX-License-Identifier: MIT
#include "runtime/image/extract.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <vector>

#include "runtime/image/file_reader.hpp"
#include "runtime/image/squashfuse.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet::image {
namespace {

constexpr std::string_view kUnpack = "unpack the image";
// Deeper trees than any real one; a loop in the directory table ends here.
constexpr std::size_t kMaximumDepth = 256;
// Fragments are shared by files that lie near each other.
constexpr std::size_t kCache = 4u << 20;

Error damaged(const std::string& path) {
  return plain_error(kUnpack, "/" + path, "the image is damaged there",
                     "copy or download it again");
}

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
    if (item.name.empty() || item.name == "." || item.name == ".." ||
        item.name.find('/') != std::string::npos) {
      return plain_error(kUnpack, "/" + path, "it holds an impossible name: " + item.name,
                         "the image was made to do harm, or is damaged");
    }
    items.push_back(std::move(item));
  }
  if (code != SQFS_OK) return damaged(path);
  return items;
}

class Extraction {
 public:
  Extraction(sqfs* fs, int top, const Wanted& wanted)
      : fs_(fs), reader_(fs, kCache), top_(top), wanted_(wanted) {}

  Status directory(int parent, sqfs_inode& inode, const std::string& path, std::size_t depth) {
    if (depth > kMaximumDepth) return damaged(path);
    for (const Item& item : TRY(list(fs_, inode, path))) {
      TRY(entry(parent, item, path.empty() ? item.name : path + "/" + item.name, depth));
    }
    return Done{};
  }

 private:
  Status entry(int parent, const Item& item, const std::string& path, std::size_t depth) {
    sqfs_inode inode{};
    if (sqfs_inode_get(fs_, &inode, item.id) != SQFS_OK) return damaged(path);
    const mode_t type = inode.base.mode & S_IFMT;
    if (type == S_IFDIR) return subdirectory(parent, item, inode, path, depth);
    if (wanted_ && !wanted_(path)) return Done{};
    if (type == S_IFREG) return file(parent, item, inode, path);
    if (type == S_IFLNK) return symlink(parent, item, inode, path);
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
    return finish(here.get(), inode, path);
  }

  Status file(int parent, const Item& item, sqfs_inode& inode, const std::string& path) {
    // A second name of a file that is there already.
    const auto known = links_.find(inode.base.inode_number);
    if (inode.nlink > 1 && known != links_.end()) {
      if (::linkat(top_, known->second.c_str(), parent, item.name.c_str(), 0) == 0) return Done{};
      if (errno != EMLINK) return last_error(kUnpack, "/" + path);
    }
    os::Fd out = TRY(os::open_at(parent, item.name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW));
    TRY(content(out.get(), inode, path));
    if (inode.nlink > 1) links_[inode.base.inode_number] = path;
    return finish(out.get(), inode, path);
  }

  Status content(int out, sqfs_inode& inode, const std::string& path) {
    const std::uint64_t size = inode.xtra.reg.file_size;
    std::uint64_t done = 0;
    const FilePointer file = reader_.open(inode);
    if (file == nullptr) return damaged(path);
    while (done < size) {
      const std::size_t count = std::min<std::uint64_t>(buffer_.size(), size - done);
      if (!reader_.read(*file, done, count, buffer_.data())) return damaged(path);
      // A block of zeros stays a hole, so a sparse file stays small.
      const bool zeros =
          buffer_[0] == 0 && std::memcmp(buffer_.data(), buffer_.data() + 1, count - 1) == 0;
      if (!zeros) TRY(os::write_all(out, {buffer_.data(), count}, kUnpack, "/" + path));
      done += count;
      if (zeros && ::lseek(out, static_cast<off_t>(done), SEEK_SET) < 0) {
        return last_error(kUnpack, "/" + path);
      }
    }
    if (::ftruncate(out, static_cast<off_t>(size)) != 0) return last_error(kUnpack, "/" + path);
    return Done{};
  }

  Status symlink(int parent, const Item& item, sqfs_inode& inode, const std::string& path) {
    char target[4096];
    std::size_t size = sizeof target;
    if (inode.xtra.symlink_size >= sizeof target ||
        sqfs_readlink(fs_, &inode, target, &size) != SQFS_OK) {
      return damaged(path);
    }
    if (::symlinkat(target, parent, item.name.c_str()) != 0) {
      return last_error(kUnpack, "/" + path);
    }
    const timespec times[2] = {{inode.base.mtime, 0}, {inode.base.mtime, 0}};
    ::utimensat(parent, item.name.c_str(), times,
                AT_SYMLINK_NOFOLLOW);  // times of links are a nicety
    return Done{};
  }

  Status finish(int fd, const sqfs_inode& inode, const std::string& path) {
    if (::fchmod(fd, inode.base.mode & 01777) != 0) return last_error(kUnpack, "/" + path);
    const timespec times[2] = {{inode.base.mtime, 0}, {inode.base.mtime, 0}};
    if (::futimens(fd, times) != 0) return last_error(kUnpack, "/" + path);
    return Done{};
  }

  sqfs* fs_;
  FileReader reader_;
  int top_;
  const Wanted& wanted_;
  std::map<std::uint32_t, std::string> links_;
  std::vector<char> buffer_ = std::vector<char>(1u << 17);
};

Status add_sizes(sqfs* fs, sqfs_inode& directory, const std::string& path, std::size_t depth,
                 std::set<std::uint32_t>& seen, std::uint64_t& sum) {
  if (depth > kMaximumDepth) return damaged(path);
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
  sqfs* fs = image.raw();
  sqfs_inode root{};
  if (sqfs_inode_get(fs, &root, sqfs_inode_root(fs)) != SQFS_OK) return damaged("");
  return Extraction(fs, directory, wanted).directory(directory, root, "", 0);
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
