// SPDX-License-Identifier: MIT
// Reads all of an image as the server does, damaged again and again:
//
//   rootlet-read-image IMAGE              prints a digest of all it holds
//   rootlet-read-image IMAGE threads N    N threads at once, each the same digest
//   rootlet-read-image IMAGE damage SECONDS SEED
//
// Damage must end in an answer or in "damaged", never in a crash (the sanitizers
// see more of them than the kernel does) or in a wait: no copy may take ten seconds.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "runtime/image/extract.hpp"
#include "runtime/image/file_reader.hpp"
#include "runtime/image/squashfs.hpp"
#include "runtime/image/squashfuse.hpp"
#include "runtime/image/workspace.hpp"
#include "runtime/image/xattrs.hpp"

namespace {

using namespace rootlet;
using namespace rootlet::image;

constexpr int kDeepest = 16;
constexpr std::size_t kMostEntries = 20000;
constexpr std::uint64_t kMostOfFile = 64u << 20;
constexpr std::size_t kPiece = 100000;  // no multiple of any block

// Everything that one thread finds, in one number.
class Walk {
 public:
  Walk(sqfs* fs, FileReader& reader) : fs_(fs), reader_(reader) {}

  std::uint64_t digest() const { return digest_; }
  bool sound() const { return sound_; }

  void directory(sqfs_inode_id id, int depth) {
    std::vector<sqfs_inode_id> inside;
    {
      const std::lock_guard hold(reader_.library());
      sqfs_inode inode{};
      sqfs_dir stream;
      sqfs_name name;
      sqfs_dir_entry entry;
      sqfs_err code = SQFS_OK;
      sqfs_dentry_init(&entry, name);
      if (!check(sqfs_inode_get(fs_, &inode, id) == SQFS_OK && S_ISDIR(inode.base.mode)) ||
          !check(sqfs_dir_open(fs_, &inode, &stream, 0) == SQFS_OK)) {
        return;
      }
      std::string first;
      while (entries_ < kMostEntries && sqfs_dir_next(fs_, &stream, &entry, &code)) {
        add(sqfs_dentry_name(&entry), std::strlen(sqfs_dentry_name(&entry)));
        if (first.empty()) first = sqfs_dentry_name(&entry);
        inside.push_back(sqfs_dentry_inode(&entry));
        ++entries_;
      }
      check(code == SQFS_OK);
      look_up(inode, first);
    }
    for (const sqfs_inode_id child : inside) node(child, depth);
  }

 private:
  void look_up(sqfs_inode& inode, const std::string& wanted) {
    sqfs_name name;
    sqfs_dir_entry entry;
    sqfs_dentry_init(&entry, name);
    bool found = false;
    check(sqfs_dir_lookup(fs_, &inode, wanted.c_str(), wanted.size(), &entry, &found) == SQFS_OK);
    check(sqfs_dir_lookup(fs_, &inode, "zz", 2, &entry, &found) == SQFS_OK);
  }

  void node(sqfs_inode_id id, int depth) {
    sqfs_inode inode{};
    {
      const std::lock_guard hold(reader_.library());
      if (!check(sqfs_inode_get(fs_, &inode, id) == SQFS_OK)) return;
      add(&inode.base.mode, sizeof inode.base.mode);
      attributes(inode);
      if (S_ISLNK(inode.base.mode)) link(inode);
    }
    if (S_ISREG(inode.base.mode)) file(id);
    if (S_ISDIR(inode.base.mode) && depth < kDeepest) directory(id, depth + 1);
  }

  void attributes(sqfs_inode& inode) {
    std::string names;
    std::string value;
    if (!check(find_names(fs_, inode, names))) return;
    add(names.data(), names.size());
    if (!names.empty() && check(find_value(fs_, inode, names.c_str(), value))) {
      add(value.data(), value.size());
    }
    check(find_value(fs_, inode, "user.n", value));
  }

  void link(sqfs_inode& inode) {
    char target[4096];
    std::size_t size = sizeof target;
    if (inode.xtra.symlink_size < sizeof target &&
        check(sqfs_readlink(fs_, &inode, target, &size) == SQFS_OK)) {
      add(target, std::strlen(target));
    }
  }

  void file(sqfs_inode_id id) {
    bool damaged = false;
    const FilePointer file = reader_.find(id, damaged);
    if (!check(!damaged && file != nullptr)) return;
    add(&file->size, sizeof file->size);
    const std::uint64_t end = std::min(file->size, kMostOfFile);
    for (std::uint64_t at = 0; at < end; at += kPiece) {
      if (!stretch(*file, at, std::min(at + kPiece, end))) return;
    }
    if (file->size > end) stretch(*file, file->size - 5000, file->size);
  }

  bool stretch(File& file, std::uint64_t start, std::uint64_t end) {
    Stretch found;
    if (!check(reader_.gather(file, start, end, nullptr, found))) return false;
    for (const iovec& part : found.parts) add(part.iov_base, part.iov_len);
    return true;
  }

  bool check(bool condition) {
    sound_ = sound_ && condition;
    return condition;
  }

  void add(const void* bytes, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      digest_ = (digest_ ^ static_cast<const unsigned char*>(bytes)[i]) * 0x100000001b3u;
    }
  }

  sqfs* fs_;
  FileReader& reader_;
  std::uint64_t digest_ = 0xcbf29ce484222325u;
  std::size_t entries_ = 0;
  bool sound_ = true;
};

struct Found {
  bool sound = false;
  std::uint64_t digest = 0;
};

// How many threads find the same; what they find.
Found read_all(int fd, std::uint64_t size, unsigned threads) {
  auto opened = Squashfs::open(Payload{fd, 0, size}, "image");
  if (!opened.ok()) return {};
  Squashfs image = std::move(opened).value();
  (void)unpacked_size(image);
  FileReader reader(image.raw(), 2u << 20);
  std::vector<Found> found(threads);
  std::vector<std::thread> others;
  for (Found& one : found) {
    others.emplace_back([&image, &reader, &one] {
      Walk walk(image.raw(), reader);
      walk.directory(sqfs_inode_root(image.raw()), 0);
      one = {walk.sound(), walk.digest()};
      Workspace::mine().release();
    });
  }
  for (std::thread& other : others) other.join();
  for (const Found& one : found) {
    if (one.digest != found[0].digest) {
      std::puts("two threads found different things");
      std::exit(1);
    }
  }
  return found[0];
}

std::string content_of(const char* path) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (fd < 0 || ::fstat(fd, &status) != 0) {
    std::perror(path);
    std::exit(1);
  }
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  if (::read(fd, bytes.data(), bytes.size()) != status.st_size) std::exit(1);
  ::close(fd);
  return bytes;
}

std::string damaged_copy(std::string bytes, std::mt19937_64& chance) {
  // The superblock's own numbers are looked at before the library is.
  const std::size_t flips = 1 + chance() % 8;
  for (std::size_t i = 0; i < flips; ++i) {
    // Half of them near the end, where the tables are.
    const std::size_t zone =
        (chance() & 1) != 0 ? std::min<std::size_t>(bytes.size(), 8192) : bytes.size();
    const std::size_t at = bytes.size() - 1 - chance() % zone;
    const auto change = chance() % 3;
    bytes[at] = change == 0   ? static_cast<char>(chance())
                : change == 1 ? static_cast<char>(bytes[at] ^ (1 << chance() % 8))
                              : '\xff';
  }
  if (chance() % 16 == 0) bytes.resize(bytes.size() - chance() % (bytes.size() / 2));
  return bytes;
}

int damage(const char* path, double seconds, std::uint64_t seed) {
  using Clock = std::chrono::steady_clock;
  const std::string whole = content_of(path);
  const auto start = Clock::now();
  std::size_t copies = 0;
  std::size_t sound = 0;
  for (; std::chrono::duration<double>(Clock::now() - start).count() < seconds; ++copies) {
    std::mt19937_64 chance(seed + copies);
    const std::string bytes = damaged_copy(whole, chance);
    const int fd = ::memfd_create("image", MFD_CLOEXEC);
    if (::write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) return 1;
    ::alarm(10);
    const auto super = read_superblock(fd, 0, "image");
    const unsigned threads = 1 + (copies & 1);
    if (super.ok() && read_all(fd, super.value().bytes_used, threads).sound) ++sound;
    ::alarm(0);
    ::close(fd);
  }
  std::printf("%zu damaged copies, %zu of them without a trace\n", copies, sound);
  return copies > 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  if (count < 2) return 2;
  const std::string what = count > 2 ? words[2] : "";
  if (what == "damage" && count == 5) {
    return damage(words[1], std::atof(words[3]), std::strtoull(words[4], nullptr, 10));
  }
  const int wanted = what == "threads" && count == 4 ? std::atoi(words[3]) : 1;
  const auto threads = static_cast<unsigned>(std::max(wanted, 1));
  const int fd = ::open(words[1], O_RDONLY | O_CLOEXEC);
  const auto super = rootlet::read_superblock(fd, 0, words[1]);
  const Found found = super.ok() ? read_all(fd, super.value().bytes_used, threads) : Found{};
  std::printf("%s %016llx\n", found.sound ? "sound" : "damaged",
              static_cast<unsigned long long>(found.digest));
  return 0;
}
