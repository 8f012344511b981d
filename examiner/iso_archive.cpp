// SPDX-License-Identifier: MIT
#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include <vector>

#include "examiner/archive.hpp"

// Type-1 AppImages are ISO 9660 images with an ELF program in the part that
// the format leaves free. libappimage reads them by libarchive, and so do we;
// its own iterator over them cuts the first two letters off the target of every
// link and knows no modes (1.0.4, TraversalType1.cpp).
namespace rootlet::examiner {
namespace {

constexpr std::size_t kBlock = 64u << 10;
constexpr std::size_t kMostEntries = 4'000'000;

struct CloseArchive {
  void operator()(archive* handle) const { ::archive_read_free(handle); }
};
using Handle = std::unique_ptr<archive, CloseArchive>;

Error failure(archive* handle) {
  const char* text = ::archive_error_string(handle);
  return plain_error("read the image", {}, text != nullptr ? text : "no ISO 9660 image",
                     "the file is damaged or built to do harm; do not run it");
}

class IsoContent : public Content {
 public:
  explicit IsoContent(archive* handle) : handle_(handle) {}

  Status read(const Sink& sink) override {
    std::int64_t at = 0;
    for (;;) {
      const void* bytes = nullptr;
      std::size_t size = 0;
      std::int64_t offset = 0;
      const int got = ::archive_read_data_block(handle_, &bytes, &size, &offset);
      if (got == ARCHIVE_EOF) return Done{};
      if (got != ARCHIVE_OK) return failure(handle_);
      if (offset < at) return failure(handle_);
      for (std::string zeros; at < offset; at += static_cast<std::int64_t>(zeros.size())) {
        zeros.assign(static_cast<std::size_t>(std::min<std::int64_t>(offset - at, kBlock)), '\0');
        TRY(sink(zeros));
      }
      for (std::size_t from = 0; from < size; from += kPiece) {
        TRY(sink({static_cast<const char*>(bytes) + from, std::min(kPiece, size - from)}));
      }
      at += static_cast<std::int64_t>(size);
    }
  }

 private:
  static constexpr std::size_t kPiece = 1u << 20;
  archive* handle_;
};

char kind_of(archive_entry* member) {
  switch (::archive_entry_filetype(member)) {
    case AE_IFREG: return 'f';
    case AE_IFDIR: return 'd';
    case AE_IFLNK: return 'l';
    case AE_IFIFO: return 'p';
    case AE_IFCHR: return 'c';
    case AE_IFBLK: return 'b';
    default: return 's';
  }
}

std::string text(const char* value) {
  std::string out = value != nullptr ? value : "";
  if (out.starts_with("./")) out.erase(0, 2);
  return out;
}

// The part of the file that is the image, as libarchive reads it.
class Part {
 public:
  Part(std::uint64_t offset, std::uint64_t length) : begin_(offset), length_(length) {}

  void serve(archive* handle) {
    at_ = 0;
    ::archive_read_set_callback_data(handle, this);
    ::archive_read_set_read_callback(handle, read);
    ::archive_read_set_skip_callback(handle, skip);
    ::archive_read_set_seek_callback(handle, seek);
  }

 private:
  static la_ssize_t read(archive* handle, void* from, const void** bytes) {
    auto& part = *static_cast<Part*>(from);
    const std::uint64_t wanted = std::min<std::uint64_t>(kBlock, part.length_ - part.at_);
    const ssize_t got =
        ::pread(kFile, part.block_.data(), wanted, static_cast<off_t>(part.begin_ + part.at_));
    if (got < 0) ::archive_set_error(handle, errno, "it cannot be read");
    if (got > 0) part.at_ += static_cast<std::uint64_t>(got);
    *bytes = part.block_.data();
    return got;
  }
  static la_int64_t skip(archive*, void* from, la_int64_t count) {
    auto& part = *static_cast<Part*>(from);
    const std::uint64_t left = part.length_ - part.at_;
    const std::uint64_t step =
        std::min(left, static_cast<std::uint64_t>(std::max<la_int64_t>(0, count)));
    part.at_ += step;
    return static_cast<la_int64_t>(step);
  }
  static la_int64_t seek(archive*, void* from, la_int64_t offset, int whence) {
    auto& part = *static_cast<Part*>(from);
    const std::uint64_t base = whence == SEEK_SET   ? 0
                               : whence == SEEK_CUR ? part.at_
                                                    : part.length_;
    const la_int64_t to = static_cast<la_int64_t>(base) + offset;
    if (to < 0 || static_cast<std::uint64_t>(to) > part.length_) return ARCHIVE_FATAL;
    part.at_ = static_cast<std::uint64_t>(to);
    return to;
  }

  std::uint64_t begin_, length_, at_ = 0;  // bytes
  std::vector<char> block_ = std::vector<char>(kBlock);
};

class IsoArchive : public Archive {
 public:
  IsoArchive(std::uint64_t offset, std::uint64_t length) : part_(offset, length) {}

  Status walk(const Visit& visit) override {
    const Handle handle(::archive_read_new());
    ::archive_read_support_format_iso9660(handle.get());
    part_.serve(handle.get());
    if (::archive_read_open1(handle.get()) != ARCHIVE_OK) return failure(handle.get());
    for (std::size_t count = 0;; ++count) {
      archive_entry* raw = nullptr;
      const int got = ::archive_read_next_header(handle.get(), &raw);
      if (got == ARCHIVE_EOF) return Done{};
      // ARCHIVE_WARN: a name that is no UTF-8 is kept as the bytes it is.
      if (got != ARCHIVE_OK && got != ARCHIVE_WARN) return failure(handle.get());
      if (count == kMostEntries) return plain_error("read the image", {}, "too many files");
      TRY(one(handle.get(), raw, visit));
    }
  }

 private:
  static Status one(archive* handle, archive_entry* raw, const Visit& visit) {
    Member member;
    member.path = text(::archive_entry_pathname(raw));
    while (member.path.ends_with('/')) member.path.pop_back();
    if (member.path.empty() || member.path == ".") return Done{};
    if (!is_proper(member.path)) {
      return plain_error("read the image", {}, "it holds an impossible name",
                         "the image was made to do harm, or is damaged");
    }
    member.kind = kind_of(raw);
    member.mode = ::archive_entry_perm(raw) & 07777;
    member.mtime = static_cast<std::uint64_t>(std::max<time_t>(0, ::archive_entry_mtime(raw)));
    if (member.kind == 'f') member.size = static_cast<std::uint64_t>(::archive_entry_size(raw));
    const char* target = ::archive_entry_symlink(raw);
    if (member.kind == 'l') member.target = target != nullptr ? target : "";
    if (const std::string first = text(::archive_entry_hardlink(raw)); !first.empty()) {
      member.kind = 'h';
      member.target = first;
    }
    IsoContent content(handle);
    return visit(member, content);
  }

  Part part_;
};

}  // namespace

std::unique_ptr<Archive> open_iso(std::uint64_t offset, std::uint64_t length) {
  return std::make_unique<IsoArchive>(offset, length);
}

}  // namespace rootlet::examiner
