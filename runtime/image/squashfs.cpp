// SPDX-License-Identifier: MIT
#include "runtime/image/squashfs.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <mutex>
#include <vector>

#include "runtime/image/decompress.hpp"
#include "runtime/image/file_reader.hpp"
#include "runtime/image/overdue.hpp"
#include "runtime/image/sealed_file.hpp"
#include "runtime/image/squashfuse.hpp"
#include "runtime/image/tally.hpp"
#include "runtime/os/futex.hpp"

namespace rootlet::image {
namespace {

constexpr std::string_view kOpen = "open the image";
constexpr std::string_view kCopyAgain =
    "the file is damaged or was cut short; copy or download it again";

// libsquashfuse 0.1.105 keeps eight metadata blocks; a walk that goes to and
// fro between inodes and directories then decodes the same block again and
// again. Blocks are allocated as they come.
constexpr std::size_t kMetadataBlocks = 128;

// What the image's file looked like when it was opened.
struct Watch {
  int fd = -1;
  off_t size = 0;
  timespec modified{};
  std::unique_ptr<SealedFile> sealed;
};
struct Watches {
  std::vector<Watch> images;  // the root's, and what is attached
  std::function<void()> handler;
  std::function<void(const std::string&)> damage_handler;
  os::Mutex lock;  // of the line below: an extraction has several threads
  std::string damage;
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

bool changed(const Watch& then) {
  const WaitsForFile waits;
  struct stat now {};
  if (::fstat(then.fd, &now) != 0) return false;
  // Not the change time: a rename or an unlink of a running image moves it,
  // and those are allowed.
  return now.st_size != then.size || now.st_mtim.tv_sec != then.modified.tv_sec ||
         now.st_mtim.tv_nsec != then.modified.tv_nsec;
}

void tell_damage(std::uint64_t at) {
  const std::string what = "byte " + std::to_string(at) + " of the file is not what was sealed";
  if (watches().damage_handler) return watches().damage_handler(what);
  const std::lock_guard hold(watches().lock);
  watches().damage = what;
}

Error open_error(sqfs_err code, const std::string& name, const sqfs& fs) {
  const std::string damage = damage_found();
  if (!damage.empty()) return plain_error(kOpen, name, damage, kCopyAgain);
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
  return plain_error(kOpen, name, "its tables cannot be read", kCopyAgain);
}

void enlarge(sqfs_cache& cache, std::size_t count) {
  sqfs_cache bigger{};
  if (sqfs_block_cache_init(&bigger, count) != SQFS_OK) return;  // the small one still works
  sqfs_cache_destroy(&cache);
  cache = bigger;
}

}  // namespace

void on_image_changed(std::function<void()> handler) { watches().handler = std::move(handler); }

void on_image_damaged(std::function<void(const std::string&)> handler) {
  watches().damage_handler = std::move(handler);
}

std::string damage_found() {
  const std::lock_guard hold(watches().lock);
  return watches().damage;
}

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
  *known = {payload.fd, status.st_size, status.st_mtim, nullptr};
  if (auto seal = TRY(read_seal(payload, name)); seal) {
    known->sealed = std::make_unique<SealedFile>(payload, std::move(*seal));
  }

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
    const std::string damage = damage_found();
    return plain_error("read", shown, damage.empty() ? "the image is damaged" : damage, kCopyAgain);
  }
  return std::optional(std::move(bytes));
}

bool Squashfs::has_file(const std::string& path) {
  const auto inode = find(fs_.get(), path);
  return inode && S_ISREG(inode->base.mode);
}

const Seal* Squashfs::seal() const {
  const Watch* watch = watch_of(fs_->fd);
  return watch != nullptr && watch->sealed ? &watch->sealed->seal() : nullptr;
}

bool Squashfs::has_entry(const std::string& path) { return find(fs_.get(), path).has_value(); }

}  // namespace rootlet::image

namespace rootlet::image {
namespace {

ssize_t read_plain(int fd, char* buffer, std::size_t count, off_t offset) {
  const WaitsForFile waits;
  std::size_t done = 0;
  while (done < count) {
    const ssize_t got = ::pread(fd, buffer + done, count - done, offset + static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return static_cast<ssize_t>(done);
}

}  // namespace
}  // namespace rootlet::image

// Stands in for libsquashfuse's own: all its reads of the file come here.
extern "C" ssize_t sqfs_pread(int fd, void* buffer, std::size_t count, off_t offset) {
  using namespace rootlet::image;
  const Watch* watch = watch_of(fd);
  const bool sealed = watch != nullptr && watch->sealed;
  std::uint64_t bad = 0;
  const ssize_t done = sealed ? watch->sealed->read(buffer, count, offset, bad)
                              : read_plain(fd, static_cast<char*>(buffer), count, offset);
  const int error = done < 0 ? errno : 0;
  if (done > 0) count_read(static_cast<std::uint64_t>(done));
  // After the bytes are here and before anyone sees them: content of two
  // versions of a file is never mixed.
  if (watch != nullptr && changed(*watch)) {
    if (watches().handler) watches().handler();
    errno = ESTALE;
    return -1;
  }
  if (error == EIO && sealed) tell_damage(bad);
  errno = error;
  return done;
}
