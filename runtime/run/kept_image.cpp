// SPDX-License-Identifier: MIT
#include "runtime/run/kept_image.hpp"

#include <dirent.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include <cstring>

#include "runtime/image/extract.hpp"
#include "runtime/run/share.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kKeep = "keep the unpacked image";
constexpr std::string_view kPrefix = "image-";
constexpr std::int64_t kUnused = 7 * 24 * 3600;  // seconds after which one is removed
constexpr const char* kStampFile = "stamp";
constexpr std::size_t kDigits = 16;  // of a hash

// Sixteen hexadecimal digits, and back.
void write_hash(char* to, std::uint64_t number) {
  for (std::size_t at = kDigits; at-- > 0; number >>= 4) to[at] = "0123456789abcdef"[number & 15];
}
std::uint64_t read_hash(const char* from) {
  std::uint64_t number = 0;
  for (std::size_t at = 0; at < kDigits; ++at) {
    const auto letter = static_cast<unsigned>(from[at]);
    number = number << 4 | (letter <= '9' ? letter - '0' : letter - 'a' + 10) % 16;
  }
  return number;
}

// Which image it is. Times are part of it: a file that was changed is another.
// So is the boot, for after a crash what was written may not be on the disk.
std::uint64_t hash_of(const Source& source, const Stamp& stamp) {
  struct {
    struct stat status;
    std::uint64_t offset;
    char boot[40];
    Sha256Digest seal;  // of the content, where a file system's times can be made up
  } facts{};
  if (const Seal* seal = source.image ? source.image->seal() : nullptr) facts.seal = seal->digest;
  (void)::fstat(source.fd.get(), &facts.status);
  facts.status.st_atim = {};
  facts.status.st_nlink = 0;
  facts.offset = source.payload.offset;
  const os::Fd boot(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  if (::read(boot.get(), facts.boot, sizeof facts.boot) < 0) facts.boot[0] = 0;
  return stamp.hash(&facts, sizeof facts);
}

os::Fd open_directory(int parent, const char* name) {
  return os::Fd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

// What begins a stamp.
struct Line {
  char digest[kDigits], blank = ' ', bytes[kDigits], end = ' ';
};

// Of what is there now; false: it cannot be looked at.
bool stamp_now(int entry, std::uint64_t name, const Stamp& stamp, Line& line) {
  std::uint64_t sum = name, bytes = 0;
  const os::Fd root = open_directory(entry, "root");
  if (!stamp.add_tree(root.get(), 0, sum, bytes)) return false;
  write_hash(line.digest, stamp.hash(&sum, sizeof sum));
  write_hash(line.bytes, bytes);
  return true;
}

// As it was written; false: there is none.
bool stamp_then(int entry, Line& line) {
  const os::Fd file(::openat(entry, kStampFile, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  return ::read(file.get(), &line, sizeof line) == sizeof line;
}

// Makes what the locked entry holds. The lock is shared afterwards.
bool make(int entry, std::uint64_t name, Source& source, const Stamp& stamp) {
  Line line;
  if (::mkdirat(entry, "root", 0755) != 0) return false;
  const os::Fd root = open_directory(entry, "root");
  if (!image::extract_all(*source.image, root.get()).ok() || !stamp_now(entry, name, stamp, line)) {
    return false;
  }
  const os::Fd file(::openat(entry, kStampFile, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
  return ::write(file.get(), &line, sizeof line) == sizeof line &&
         ::write(file.get(), source.file.data(), source.file.size()) > 0 &&
         ::flock(entry, LOCK_SH) == 0;
}

// Removes what is long unused, and what is longest unused until there is room
// for one more. False: there is none.
bool make_room(int parent, std::uint64_t wanted, const Keeping& keeping) {
  while (true) {
    std::uint64_t sum = 0;
    Kept oldest;
    each_kept(parent, [&](const Kept& entry) {
      sum += entry.bytes;
      if (!entry.in_use && (oldest.name[0] == '\0' || entry.used < oldest.used)) oldest = entry;
    });
    struct statvfs fs {};
    (void)::fstatvfs(parent, &fs);
    // A quarter of what the disk would have without them.
    const std::uint64_t most =
        keeping.most.value_or((std::uint64_t{fs.f_bavail} * fs.f_frsize + sum) / 4);
    const bool fits = sum + wanted <= most;
    if (oldest.name[0] == '\0' || (fits && oldest.used + kUnused > ::time(nullptr))) return fits;
    remove_tree(parent, oldest.name);  // with the parent's lock nobody begins to use it
  }
}

}  // namespace

std::optional<std::uint64_t>& kept_limit() {
  static std::optional<std::uint64_t> limit;
  return limit;
}

std::optional<Keeping> Keeping::of_run(const Options& options, const Caller& caller) {
  const std::optional<std::uint64_t> most = kept_limit();
  if (most == 0 || (!most && keep_seconds(options, caller) == 0)) return {};
  const auto stamp = Stamp::of(caller);
  if (stamp) return Keeping{*stamp, most};
  if (most) {
    Log::note("what is unpacked is not kept: that needs a private runtime directory");
  }
  return {};
}

std::optional<PrivateDirectory> open_kept(const std::string& base, Source& source,
                                          const Keeping& keeping, const Log& log) {
  const std::uint64_t number = hash_of(source, keeping.stamp);
  std::string path = PrivateDirectory::name_of_base(base) + "/image-0123456789abcdef";
  write_hash(path.data() + path.size() - kDigits, number);
  const char* name = path.data() + path.size() - kDigits - kPrefix.size();
  const auto size = image::unpacked_size(*source.image);
  bool changed = false;
  while (size.ok()) {
    auto parent = PrivateDirectory::open_base(base, kKeep, true);
    if (!parent.ok()) break;
    const int top = parent.value().get();
    if (changed && !remove_kept(top, name)) break;
    const bool ours = ::mkdirat(top, name, 0700) == 0;
    os::Fd entry = open_directory(top, name);
    // Whoever makes it may have to wait for one who only lists.
    if (ours && (::flock(entry.get(), LOCK_EX) != 0 || !make_room(top, size.value(), keeping))) {
      remove_tree(top, name);
      ::rmdir(PrivateDirectory::name_of_base(base).c_str());  // ENOTEMPTY where something is in it
      break;
    }
    parent.value().reset();
    if (ours && !make(entry.get(), number, source, keeping.stamp)) {
      remove_tree(AT_FDCWD, path);
      break;
    }
    if (!ours && ::flock(entry.get(), LOCK_SH | LOCK_NB) != 0) {
      log.say("waits for another run that unpacks this image");
      ::flock(entry.get(), LOCK_SH);
    }
    struct stat status {};
    if (::fstat(entry.get(), &status) != 0) break;
    if (status.st_nlink == 0) continue;  // removed meanwhile
    Line then, now;
    const bool stamped = ours || stamp_then(entry.get(), then);
    if (ours || (stamped && stamp_now(entry.get(), number, keeping.stamp, now) &&
                 std::memcmp(&then, &now, sizeof now) == 0)) {
      (void)::futimens(entry.get(), nullptr);  // used now
      return PrivateDirectory::kept(std::move(path), std::move(entry));
    }
    if (stamped) Log::note("the unpacked image was changed; it is unpacked anew");
    changed = true;
  }
  return {};
}

void each_kept(int directory, const std::function<void(const Kept&)>& look) {
  DIR* listing = ::fdopendir(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (listing == nullptr) return;
  while (const dirent* found = ::readdir(listing)) {
    const os::Fd fd = open_directory(directory, found->d_name);
    struct stat status {};
    if (std::strncmp(found->d_name, kPrefix.data(), kPrefix.size()) != 0 ||
        std::strlen(found->d_name) >= sizeof Kept::name || ::fstat(fd.get(), &status) != 0) {
      continue;
    }
    Kept entry;
    std::strcpy(entry.name, found->d_name);
    entry.used = status.st_mtim.tv_sec;
    entry.in_use = ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0;
    Line line;
    entry.complete = stamp_then(fd.get(), line);
    if (entry.complete) entry.bytes = read_hash(line.bytes);
    look(entry);
  }
  ::closedir(listing);
}

bool remove_kept(int directory, const char* name) {
  const os::Fd fd = open_directory(directory, name);
  if (fd.valid() && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return false;
  remove_tree(directory, name);
  return true;
}

}  // namespace rootlet
