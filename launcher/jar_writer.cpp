// SPDX-License-Identifier: MIT
#include "launcher/jar_writer.hpp"

#include <unistd.h>

#include <algorithm>

namespace rootlet {
namespace {

constexpr std::string_view kAdd = "add to the jar";
constexpr std::uint64_t kAlignment = 4096;  // a page: reflinks, direct I/O, loop devices
constexpr std::uint64_t kLimit32 = 0xffffffff;
constexpr std::uint16_t kMostEntries = 0xffff;

std::string number(std::uint64_t value, int size) {
  std::string out;
  for (int i = 0; i < size; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}

// Version 4.5 reads zip64, 2.0 the rest (APPNOTE 4.4.3.2). 1980-01-01 for all:
// the same image makes the same bytes.
std::string start_of_header(bool large) {
  return number(large ? 45 : 20, 2) + number(0, 2) + number(0, 2) + number(0, 2) + number(0x21, 2);
}

Status write_at(int fd, std::string_view bytes, std::uint64_t at, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return last_error(kAdd, name);
    bytes.remove_prefix(static_cast<std::size_t>(put));
    at += static_cast<std::uint64_t>(put);
  }
  return Done{};
}

// Through memory, where the kernel copies nothing between these two files
// (EXDEV before Linux 5.3, EINVAL, EOPNOTSUPP of some file systems).
Status copy_by_hand(const FileRange& from, int to, std::uint64_t at, const std::string& name) {
  std::string buffer(1 << 20, '\0');
  for (std::uint64_t done = 0; done < from.length;) {
    const std::size_t wanted = std::min<std::uint64_t>(buffer.size(), from.length - done);
    const ssize_t got =
        ::pread(from.fd, buffer.data(), wanted, static_cast<off_t>(from.offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return last_error(kAdd, name);
    if (got == 0) return plain_error(kAdd, name, "a file became shorter while it was read");
    TRY(write_at(to, std::string_view(buffer.data(), static_cast<std::size_t>(got)), at + done,
                 name));
    done += static_cast<std::uint64_t>(got);
  }
  return Done{};
}

}  // namespace

Status copy_range(const FileRange& from, int to, std::uint64_t at, const std::string& name) {
  auto source = static_cast<off_t>(from.offset);
  auto target = static_cast<off_t>(at);
  std::uint64_t left = from.length;
  while (left > 0) {
    const ssize_t got = ::copy_file_range(from.fd, &source, to, &target, left, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      const bool full = got < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG);
      if (full) return last_error(kAdd, name);
      return copy_by_hand({from.fd, static_cast<std::uint64_t>(source), left}, to,
                          static_cast<std::uint64_t>(target), name);
    }
    left -= static_cast<std::uint64_t>(got);
  }
  return Done{};
}

Result<JarWriter> JarWriter::begin(const ZipArchive& archive,
                                   const std::set<std::string>& dropped) {
  const FileRange& range = archive.range();
  JarWriter writer(archive.name(), archive.prefix(), archive.directory());
  writer.comment_ = archive.comment();
  Status trouble = Done{};
  TRY(archive.each([&](const ZipEntry& entry) {
    if (dropped.count(entry.name) != 0) return true;
    std::string record(entry.record_size, '\0');
    if (::pread(range.fd, record.data(), record.size(),
                static_cast<off_t>(range.offset + entry.record)) !=
        static_cast<ssize_t>(record.size())) {
      trouble = last_error(kAdd, archive.name());
      return false;
    }
    writer.directory_ += record;
    ++writer.entries_;
    return true;
  }));
  TRY(std::move(trouble));
  return writer;
}

Status JarWriter::add(int fd, const NewEntry& entry) {
  const std::uint64_t size = entry.file ? entry.file->length : entry.text.size();
  const std::uint64_t header = at_ - base_;
  const bool large = size >= kLimit32 || header >= kLimit32;
  const std::string sizes = number(large ? kLimit32 : size, 4) + number(large ? kLimit32 : size, 4);
  std::string extra;
  if (large) extra = number(1, 2) + number(16, 2) + number(size, 8) + number(size, 8);
  if (entry.aligned) {
    // Field 0xD935, as Android's zipalign writes it: the alignment, then zeros.
    constexpr std::uint64_t kFixed = 30, kField = 6;
    const std::uint64_t unpadded = at_ + kFixed + entry.name.size() + extra.size() + kField;
    const std::uint64_t padding = (kAlignment - unpadded % kAlignment) % kAlignment;
    extra += number(0xD935, 2) + number(2 + padding, 2) + number(kAlignment, 2) +
             std::string(padding, '\0');
  }
  const std::string local = "PK\3\4" + start_of_header(large) + number(entry.crc, 4) + sizes +
                            number(entry.name.size(), 2) + number(extra.size(), 2) + entry.name +
                            extra;
  TRY(write_at(fd, local, at_, name_));
  at_ += local.size();
  if (entry.file) {
    TRY(copy_range(*entry.file, fd, at_, name_));
  } else {
    TRY(write_at(fd, entry.text, at_, name_));
  }
  at_ += size;

  std::string field;
  if (large) {
    field = number(1, 2) + number(24, 2) + number(size, 8) + number(size, 8) + number(header, 8);
  }
  directory_ += "PK\1\2" + number(3 << 8 | (large ? 45 : 20), 2) + start_of_header(large) +
                number(entry.crc, 4) + sizes + number(entry.name.size(), 2) +
                number(field.size(), 2) + number(0, 2) + number(0, 2) + number(0, 2) +
                number(std::uint64_t{0100644} << 16, 4) + number(large ? kLimit32 : header, 4) +
                entry.name + field;
  ++entries_;
  return Done{};
}

Status JarWriter::finish(int fd) {
  const std::uint64_t start = at_ - base_;
  const bool large = entries_ >= kMostEntries || directory_.size() >= kLimit32 || start >= kLimit32;
  if (large && base_ != 0) {
    return plain_error(kAdd, name_,
                       "it has grown beyond 4 GiB, and its offsets leave out the "
                       "program in front of it",
                       "join program and jar so that the offsets count the program: zip -A");
  }
  std::string end = directory_;
  if (large) {
    const std::uint64_t record = at_ + directory_.size();
    end += "PK\6\6" + number(44, 8) + number(3 << 8 | 45, 2) + number(45, 2) + number(0, 4) +
           number(0, 4) + number(entries_, 8) + number(entries_, 8) + number(directory_.size(), 8) +
           number(start, 8);
    end += "PK\6\7" + number(0, 4) + number(record, 8) + number(1, 4);
  }
  const std::string count = number(large ? kMostEntries : entries_, 2);
  end += "PK\5\6" + number(0, 4) + count + count + number(large ? kLimit32 : directory_.size(), 4) +
         number(large ? kLimit32 : start, 4) + number(comment_.size(), 2) + comment_;
  TRY(write_at(fd, end, at_, name_));
  at_ += end.size();
  if (::ftruncate(fd, static_cast<off_t>(at_)) != 0) return last_error(kAdd, name_);
  return Done{};
}

}  // namespace rootlet
