// SPDX-License-Identifier: MIT
#include "runtime/image/listing.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <vector>

#include "runtime/image/file_reader.hpp"
#include "runtime/image/names.hpp"
#include "runtime/image/squashfuse.hpp"

namespace rootlet::image {
namespace {

constexpr std::string_view kList = "read the image";
constexpr std::size_t kMaximumDepth = 256;  // as extract.cpp has it

Error damaged(const std::string& path) {
  return plain_error(kList, "/" + path, "the image is damaged there",
                     "the file is damaged or built to do harm; do not run it");
}

class Walk {
 public:
  Walk(sqfs* fs, const Visit& visit) : fs_(fs), visit_(visit) {}

  Status directory(sqfs_inode& inode, const std::string& path, std::size_t depth) {
    if (depth > kMaximumDepth || !seen_.insert(inode.base.inode_number).second) {
      return damaged(path);
    }
    sqfs_dir stream;
    sqfs_name name;
    sqfs_dir_entry entry;
    sqfs_err code = SQFS_OK;
    ::sqfs_dentry_init(&entry, name);
    if (::sqfs_dir_open(fs_, &inode, &stream, 0) != SQFS_OK) return damaged(path);
    while (::sqfs_dir_next(fs_, &stream, &entry, &code)) {
      if (!is_possible(entry)) {
        return plain_error(kList, "/" + path, "it holds an impossible name",
                           "the image was made to do harm, or is damaged");
      }
      const std::string below(::sqfs_dentry_name(&entry));
      TRY(one(::sqfs_dentry_inode(&entry), path.empty() ? below : path + "/" + below, depth));
    }
    if (code != SQFS_OK) return damaged(path);
    return Done{};
  }

 private:
  Status one(sqfs_inode_id id, const std::string& path, std::size_t depth) {
    sqfs_inode inode{};
    if (::sqfs_inode_get(fs_, &inode, id) != SQFS_OK) return damaged(path);
    Listed listed;
    listed.path = path;
    listed.mode = inode.base.mode;
    listed.mtime = inode.base.mtime;
    if (S_ISREG(inode.base.mode)) listed.size = inode.xtra.reg.file_size;
    if (S_ISLNK(inode.base.mode)) {
      char target[4096];
      std::size_t size = sizeof target;
      if (inode.xtra.symlink_size >= sizeof target ||
          ::sqfs_readlink(fs_, &inode, target, &size) != SQFS_OK) {
        return damaged(path);
      }
      listed.target = target;
    }
    TRY(visit_(listed, inode));
    if (S_ISDIR(inode.base.mode)) return directory(inode, path, depth + 1);
    return Done{};
  }

  sqfs* fs_;
  const Visit& visit_;
  std::set<std::uint32_t> seen_;  // each directory has one name: a second is a loop
};

}  // namespace

Status list_all(Squashfs& image, const Visit& visit) {
  sqfs_inode root{};
  if (::sqfs_inode_get(image.raw(), &root, ::sqfs_inode_root(image.raw())) != SQFS_OK) {
    return damaged("");
  }
  return Walk(image.raw(), visit).directory(root, "", 0);
}

Status read_content(FileReader& reader, const sqfs_inode& inode, const std::string& path,
                    const Sink& sink) {
  constexpr std::uint64_t kPiece = 1u << 20;
  const FilePointer file = reader.open(inode);
  if (file == nullptr) return damaged(path);
  const std::uint64_t size = inode.xtra.reg.file_size;
  std::vector<char> piece(std::min(kPiece, size));
  for (std::uint64_t at = 0; at < size;) {
    const std::size_t count = std::min<std::uint64_t>(kPiece, size - at);
    if (!reader.read(*file, at, count, piece.data())) return damaged(path);
    TRY(sink({piece.data(), count}));
    at += count;
  }
  return Done{};
}

}  // namespace rootlet::image
