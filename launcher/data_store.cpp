// SPDX-License-Identifier: MIT
#include "launcher/data_store.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <tuple>

#include "packaging/output_file.hpp"
#include "packaging/seal_image.hpp"
#include "runtime/image/sealed_file.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kAdd = "add the data";
constexpr std::string_view kList = "list the data";
constexpr std::string_view kVerify = "verify";
constexpr std::size_t kStretch = 1 << 20;

using Progress = std::function<void(std::uint64_t, std::uint64_t)>;

Result<std::uint64_t> size_of(int fd, const std::string& file) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return last_error(kAdd, file);
  if (!S_ISREG(status.st_mode)) return plain_error(kAdd, file, "it is no regular file");
  return static_cast<std::uint64_t>(status.st_size);
}

// The next data at or behind `at`, or `end`; and where it ends.
std::pair<std::uint64_t, std::uint64_t> next_data(int fd, std::uint64_t at, std::uint64_t end) {
  const off_t begin = ::lseek(fd, static_cast<off_t>(at), SEEK_DATA);
  if (begin < 0) return errno == ENXIO ? std::pair{end, end} : std::pair{at, end};
  const off_t hole = ::lseek(fd, begin, SEEK_HOLE);
  return {static_cast<std::uint64_t>(begin), hole < 0 ? end : static_cast<std::uint64_t>(hole)};
}

// Shared blocks where the file system can, else a copy; holes stay holes.
Status copy(int from, int to, std::uint64_t size, const std::string& name, const Progress& tell) {
  if (::ioctl(to, FICLONE, from) == 0) return Done{};
  if (::ftruncate(to, static_cast<off_t>(size)) != 0) return last_error(kAdd, name);
  for (std::uint64_t at = 0; at < size;) {
    auto [begin, end] = next_data(from, at, size);
    for (at = begin; at < end;) {
      off_t in = static_cast<off_t>(at), out = in;
      const ssize_t got =
          ::copy_file_range(from, &in, to, &out, std::min<std::uint64_t>(end - at, 64 << 20), 0);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return last_error(kAdd, name);
      if (got == 0) return plain_error(kAdd, name, "it became shorter while it was copied");
      at += static_cast<std::uint64_t>(got);
      if (tell) tell(at, size);
    }
    at = std::max(at, end);
  }
  return Done{};
}

Status make_directories(const std::string& path) {
  std::error_code trouble;
  fs::create_directories(path, trouble);
  if (!trouble) return Done{};
  errno = trouble.value();
  return last_error(kAdd, path);
}

// A symlink that appears whole, in the place of another one.
Status name_it(const std::string& link, const std::string& target) {
  const std::string fresh = link + ".new." + std::to_string(::getpid());
  ::unlink(fresh.c_str());
  if (::symlink(target.c_str(), fresh.c_str()) != 0) return last_error(kAdd, link);
  if (::rename(fresh.c_str(), link.c_str()) == 0) return Done{};
  const Error error = last_error(kAdd, link);
  ::unlink(fresh.c_str());
  return error;
}

bool is_name(const std::string& name) {
  return !name.empty() && name[0] != '.' && name.find('/') == std::string::npos && name != "sha256";
}

// Held by a run: it has a shared lock (runtime/run/named_data.cpp).
bool is_held(int fd) {
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) return errno == EWOULDBLOCK;
  ::flock(fd, LOCK_UN);
  return false;
}

}  // namespace

Result<std::optional<Seal>> seal_of(int fd, const std::string& file) {
  const std::uint64_t size = TRY(size_of(fd, file));
  const Payload payload = TRY(find_payload_in({fd, 0, size}, file));
  return read_seal(payload, file);
}

std::string DataStore::path_of(const std::string& digest) const {
  const std::string hex = digest.substr(digest.find(':') + 1);
  return directory_ + "/sha256/" + hex.substr(0, 2) + "/" + hex;
}

Result<DataStore::Entry> DataStore::add(const std::string& file, const std::string& name,
                                        const Progress& progress) {
  if (!name.empty() && !is_name(name)) {
    return plain_error(kAdd, name, "a name has no slash and no dot in front", "--name=pfam-36");
  }
  const os::Fd source(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!source.valid()) return last_error(kAdd, file);
  const std::uint64_t size = TRY(size_of(source.get(), file));
  const Payload there = TRY(find_payload_in({source.get(), 0, size}, file));
  auto seal = TRY(read_seal(there, file));
  TRY(make_directories(directory_ + "/sha256"));
  sweep();

  Entry entry;
  if (seal) entry.file = path_of(seal_text(seal->digest));
  if (!seal || !fs::exists(entry.file)) {
    // Under no name while it is written, then under one that sweep() knows.
    const std::string draft = directory_ + "/sha256/incoming." + std::to_string(::getpid());
    auto output = TRY(packaging::OutputFile::create(draft));
    TRY(copy(source.get(), output.fd(), size, file, progress));
    if (!seal) {
      seal = TRY(packaging::seal_image({output.fd(), there.offset, there.length}, file, 0));
      entry.file = path_of(seal_text(seal->digest));
    }
    TRY(make_directories(fs::path(entry.file).parent_path().string()));
    TRY(output.publish(0444));
    if (::rename(draft.c_str(), entry.file.c_str()) != 0) return last_error(kAdd, entry.file);
  }
  entry.digest = seal_text(seal->digest);
  struct stat status {};
  if (::stat(entry.file.c_str(), &status) != 0) return last_error(kAdd, entry.file);
  entry.size = static_cast<std::uint64_t>(status.st_size);
  if (!name.empty()) {
    TRY(name_it(directory_ + "/" + name + ".sqfs",
                fs::path(entry.file).lexically_relative(directory_).string()));
    entry.names.push_back(name);
  }
  return entry;
}

Result<std::vector<DataStore::Entry>> DataStore::list() const {
  std::vector<Entry> entries;
  std::error_code trouble;
  for (const auto& item : fs::recursive_directory_iterator(directory_ + "/sha256", trouble)) {
    const std::string hex = item.path().filename().string();
    struct stat status {};
    if (hex.size() != 64 || ::lstat(item.path().c_str(), &status) != 0 ||
        !S_ISREG(status.st_mode)) {
      continue;
    }
    const os::Fd fd(::open(item.path().c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    Entry entry{item.path().string(), "sha256:" + hex, {}, 0, 0, status.st_atim.tv_sec, false};
    entry.size = static_cast<std::uint64_t>(status.st_size);
    entry.on_disk = static_cast<std::uint64_t>(status.st_blocks) * 512;
    entry.held = fd.valid() && is_held(fd.get());
    entries.push_back(std::move(entry));
  }
  if (trouble && trouble != std::errc::no_such_file_or_directory) {
    errno = trouble.value();
    return last_error(kList, directory_);
  }
  for (const auto& item : fs::directory_iterator(directory_, trouble)) {
    if (!item.is_symlink()) continue;
    const std::string target = fs::weakly_canonical(item.path(), trouble).string();
    for (Entry& entry : entries) {
      if (fs::weakly_canonical(entry.file, trouble) == target) {
        entry.names.push_back(item.path().stem().string());
      }
    }
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.names, a.digest) < std::tie(b.names, b.digest);
  });
  return entries;
}

Result<bool> DataStore::remove(const Entry& entry) {
  constexpr std::string_view kRemove = "remove the data";
  const os::Fd fd(::open(entry.file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return last_error(kRemove, entry.file);
  // Held until it is gone: a run that finds it meanwhile has it open and keeps it.
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
  // Names first: killed between the two, the next one finds a file without any.
  for (const std::string& name : entry.names) {
    ::unlink((directory_ + "/" + name + ".sqfs").c_str());
  }
  if (::unlink(entry.file.c_str()) != 0) return last_error(kRemove, entry.file);
  return true;
}

void DataStore::sweep() {
  std::error_code trouble;
  for (const auto& item : fs::directory_iterator(directory_ + "/sha256", trouble)) {
    const std::string name = item.path().filename().string();
    if (!name.starts_with("incoming.")) continue;
    const auto process = static_cast<pid_t>(std::strtol(name.c_str() + 9, nullptr, 10));
    if (process > 0 && ::kill(process, 0) != 0 && errno == ESRCH) ::unlink(item.path().c_str());
  }
}

Status check_whole(const std::string& file, const Progress& progress) {
  const os::Fd fd(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) return last_error(kVerify, file);
  const std::uint64_t size = TRY(size_of(fd.get(), file));
  return check_whole(TRY(find_payload_in({fd.get(), 0, size}, file)), file, progress);
}

Status check_whole(const Payload& payload, const std::string& file, const Progress& progress) {
  auto seal = TRY(read_seal(payload, file));
  if (!seal) {
    return plain_error(kVerify, file, "it has no seal", "rootlet data add makes one in your store");
  }
  image::SealedFile sealed(payload, std::move(*seal));
  std::vector<char> bytes(kStretch);
  for (std::uint64_t at = 0; at < payload.length;) {
    std::uint64_t bad = 0;
    const ssize_t got =
        sealed.read(bytes.data(), bytes.size(), static_cast<off_t>(payload.offset + at), bad);
    if (got <= 0) {
      return plain_error(kVerify, file,
                         "byte " + std::to_string(bad) + " of the file is not what was sealed",
                         "copy or download it again");
    }
    at += static_cast<std::uint64_t>(got);
    if (progress) progress(at, payload.length);
  }
  return Done{};
}

}  // namespace rootlet
