// SPDX-License-Identifier: MIT
#include "runtime/image/squashfs.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "runtime/image/decompress.hpp"
#include "runtime/image/file_reader.hpp"
#include "runtime/image/squashfuse.hpp"

namespace rootlet::image {
namespace {

constexpr std::string_view kOpen = "open the image";

// libsquashfuse 0.1.105 keeps eight metadata blocks; a walk that goes to and
// fro between inodes and directories then decodes the same block again and
// again. Blocks are allocated as they come.
constexpr std::size_t kMetadataBlocks = 128;

// What the image's file looked like when it was opened.
struct Watch {
  int fd = -1;
  off_t size = 0;
  timespec modified{};
};
struct Watches {
  std::vector<Watch> images;  // the root's, and what is attached
  std::function<void()> handler;
};
Watches& watches() {
  static Watches instance;
  return instance;
}

Watch* watch_of(int fd) {
  for (Watch& watch : watches().images) {
    if (watch.fd == fd) return &watch;
  }
  return nullptr;
}

bool changed(int fd) {
  struct stat now {};
  const Watch* found = watch_of(fd);
  if (found == nullptr || ::fstat(fd, &now) != 0) return false;
  const Watch& then = *found;
  // Not the change time: a rename or an unlink of a running image moves it,
  // and those are allowed.
  return now.st_size != then.size || now.st_mtim.tv_sec != then.modified.tv_sec ||
         now.st_mtim.tv_nsec != then.modified.tv_nsec;
}

Error open_error(sqfs_err code, const std::string& name, const sqfs& fs) {
  switch (code) {
    case SQFS_BADFORMAT: return plain_error(kOpen, name, "not a squashfs");
    case SQFS_BADVERSION: return plain_error(kOpen, name, "a squashfs of another version than 4.0");
    case SQFS_BADCOMP: {
      const std::string method = compression_name(fs.sb.compression);
      return plain_error(kOpen, name, "compressed with " + method + ", which this program lacks",
                         "run it with the rootlet command, or rebuild the image with zstd");
    }
    case SQFS_OK:
    case SQFS_ERR:
    case SQFS_UNSUP: break;
  }
  return plain_error(kOpen, name, "its tables cannot be read",
                     "the file is damaged or was cut short; copy or download it again");
}

void enlarge(sqfs_cache& cache, std::size_t count) {
  sqfs_cache bigger{};
  if (sqfs_block_cache_init(&bigger, count) != SQFS_OK) return;  // the small one still works
  sqfs_cache_destroy(&cache);
  cache = bigger;
}

}  // namespace

void on_image_changed(std::function<void()> handler) { watches().handler = std::move(handler); }

void Squashfs::Close::operator()(sqfs* fs) const {
  sqfs_destroy(fs);
  delete fs;
}

Squashfs::~Squashfs() = default;

Result<Squashfs> Squashfs::open(const Payload& payload, const std::string& name) {
  struct stat status {};
  if (::fstat(payload.fd, &status) != 0) return last_error(kOpen, name);
  Watch* known = watch_of(payload.fd);  // of an image that is closed by now
  if (known == nullptr) known = &watches().images.emplace_back();
  *known = {payload.fd, status.st_size, status.st_mtim};

  auto fs = std::make_unique<sqfs>();
  const sqfs_err code = sqfs_init(fs.get(), payload.fd, payload.offset);
  if (code != SQFS_OK) return open_error(code, name, *fs);

  Squashfs image;
  image.fs_.reset(fs.release());
  image.name_ = name;
  enlarge(image.fs_->md_cache, kMetadataBlocks);
  return image;
}

namespace {

std::optional<sqfs_inode> find(sqfs* fs, const std::string& path) {
  sqfs_inode inode{};
  bool found = false;
  if (sqfs_inode_get(fs, &inode, sqfs_inode_root(fs)) != SQFS_OK) return {};
  if (sqfs_lookup_path(fs, &inode, path.c_str(), &found) != SQFS_OK || !found) return {};
  return inode;
}

}  // namespace

Result<std::optional<std::string>> Squashfs::read_file(const std::string& path, std::size_t limit) {
  auto inode = find(fs_.get(), path);
  if (!inode || !S_ISREG(inode->base.mode)) return std::optional<std::string>{};
  const std::string shown = name_ + ": /" + path;
  if (inode->xtra.reg.file_size > limit) {
    return plain_error("read", shown, "it is larger than " + std::to_string(limit) + " bytes");
  }
  std::string bytes(inode->xtra.reg.file_size, '\0');
  FileReader reader(fs_.get(), 0);
  const FilePointer file = reader.open(*inode);
  if (file == nullptr || !reader.read(*file, 0, bytes.size(), bytes.data())) {
    return plain_error("read", shown, "the image is damaged");
  }
  return std::optional(std::move(bytes));
}

bool Squashfs::has_file(const std::string& path) {
  const auto inode = find(fs_.get(), path);
  return inode && S_ISREG(inode->base.mode);
}

bool Squashfs::has_entry(const std::string& path) { return find(fs_.get(), path).has_value(); }

}  // namespace rootlet::image

// Stands in for libsquashfuse's own: all its reads of the file come here.
extern "C" ssize_t sqfs_pread(int fd, void* buffer, std::size_t count, off_t offset) {
  using namespace rootlet::image;
  std::size_t done = 0;
  while (done < count) {
    const ssize_t got = ::pread(fd, static_cast<char*>(buffer) + done, count - done,
                                offset + static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  // After the bytes are here and before anyone sees them: content of two
  // versions of a file is never mixed.
  if (changed(fd)) {
    if (watches().handler) watches().handler();
    errno = ESTALE;
    return -1;
  }
  return static_cast<ssize_t>(done);
}
