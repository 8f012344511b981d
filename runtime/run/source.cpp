// SPDX-License-Identifier: MIT
#include "runtime/run/source.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "runtime/run/judged_source.hpp"
#include "runtime/run/paths.hpp"
#include "runtime/sandbox/resolve.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kOpen = "open the image";

// "FILE@OFFSET[:LENGTH]" when the text behind the last @ is a number, and no
// file has that name; "JAR!/ENTRY" when JAR is a file (a directory may be
// called so, too).
struct Location {
  std::string file;
  std::optional<std::uint64_t> offset, length;
  std::string entry;  // of a jar
};

bool is_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

Location parse_location(const std::string& text) {
  const std::size_t mark = text.find("!/");
  if (mark != std::string::npos && is_file(text.substr(0, mark))) {
    return {text.substr(0, mark), {}, {}, text.substr(mark + 2)};
  }
  const std::size_t at = text.rfind('@');
  if (at == std::string::npos || at + 1 == text.size() || exists(text)) return {text, {}, {}, {}};
  const char* from = text.c_str() + at + 1;
  char* end = nullptr;
  Location location{text.substr(0, at), std::strtoull(from, &end, 10), {}, {}};
  if (end == from || (*end != '\0' && *end != ':')) return {text, {}, {}, {}};
  if (*end == ':') location.length = std::strtoull(end + 1, &end, 10);
  if (*end != '\0') return {text, {}, {}, {}};
  return location;
}

Result<FileRange> locate(int fd, const Location& location) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return last_error(kOpen, location.file);
  const FileRange whole{fd, 0, static_cast<std::uint64_t>(status.st_size)};
  if (!location.entry.empty()) return find_in_jar(whole, location.entry, location.file);
  if (!location.offset) return whole;
  const std::uint64_t left = whole.length - std::min(whole.length, *location.offset);
  if (location.length && *location.length > left) {
    return plain_error(kOpen, location.file, "the file ends before the length given");
  }
  return FileRange{fd, *location.offset, location.length.value_or(left)};
}

Result<Payload> find_payload_at(int fd, const Location& location) {
  const FileRange part = TRY(locate(fd, location));
  return find_payload_in(
      part, location.entry.empty() ? location.file : location.file + "!/" + location.entry);
}

Result<Source> open_image(os::Fd fd, std::string file, const Location& location) {
  Source source;
  source.payload = TRY(find_payload_at(fd.get(), location));
  source.image = TRY(image::Squashfs::open(source.payload, location.file));
  source.file = std::move(file);
  source.fd = std::move(fd);
  return source;
}

}  // namespace

std::string location_file(const std::string& text) { return parse_location(text).file; }

Result<LocatedFile> open_location(const std::string& text) {
  const Location location = parse_location(text);
  // Not to wait for the writer of a FIFO.
  auto opened = os::open_at(AT_FDCWD, location.file, O_RDONLY | O_NONBLOCK);
  if (!opened.ok()) {
    Error error = opened.error();
    error.action = kOpen;
    return error;
  }
  return LocatedFile{real_path(location.file), std::move(opened).value(),
                     !location.offset && location.entry.empty()};
}

Result<Payload> locate_payload(int fd, const std::string& text) {
  return find_payload_at(fd, parse_location(text));
}

Result<Source> open_source(const std::string& text) {
  auto opened = os::open_at(AT_FDCWD, location_file(text), O_RDONLY | O_NONBLOCK);
  if (opened.ok()) return open_source(text, std::move(opened).value());
  Error error = std::move(opened).error();
  error.action = kOpen;
  return error;
}

Result<Source> open_source(const std::string& text, os::Fd fd) {
  const Location location = parse_location(text);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return last_error(kOpen, location.file);
  if (S_ISDIR(status.st_mode)) {
    Source source;
    source.file = real_path(location.file);
    source.fd = std::move(fd);
    return source;
  }
  if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
    return plain_error(kOpen, location.file, "it is neither a file nor a directory");
  }
  return open_image(std::move(fd), real_path(location.file), location);
}

Result<Source> open_source_of(os::Fd fd, const std::string& file) {
  return open_image(std::move(fd), file, {file, {}, {}, {}});
}

Result<FileRange> locate_part(int fd, const std::string& text) {
  return locate(fd, parse_location(text));
}

Result<Source> open_own(const std::string& target_appimage) {
  // AppImageLauncher starts a bare copy of the stub from memory and names the
  // file in this variable (reference: appimage.md 1.1).
  if (!target_appimage.empty()) return open_source(real_path(target_appimage));
  constexpr const char* kSelf = "/proc/self/exe";
  auto opened = os::open_at(AT_FDCWD, kSelf, O_RDONLY);
  if (!opened.ok()) {
    Error error = opened.error();
    error.action = kOpen;
    error.hint = error.code == ENOENT ? "mount /proc, which this program needs"
                                      : "the file must be readable, not only executable";
    return error;
  }
  char name[4096];
  const ssize_t length = ::readlink(kSelf, name, sizeof name);
  const std::string file(name, length > 0 ? static_cast<std::size_t>(length) : 0);
  return open_image(std::move(opened).value(), file, {file, {}, {}, {}});
}

RootFile Source::reader() {
  return [this](const std::string& path) -> std::optional<std::string> {
    constexpr std::size_t kLimit = 1u << 20;
    if (image) {
      // A whiteout is an entry, too.
      if (below != nullptr && !image->has_entry(path)) return below->reader()(path);
      auto read = image->read_file(path, kLimit);
      return read.ok() ? std::move(read).value() : std::nullopt;
    }
    // As seen from inside: links of the directory lead nowhere else.
    auto found = sandbox::resolve_in_root(fd.get(), path, O_PATH);
    struct stat status {};
    if (!found.ok() || ::fstat(found.value().get(), &status) != 0 || !S_ISREG(status.st_mode)) {
      return std::nullopt;
    }
    auto read = os::read_file(AT_FDCWD, os::fd_path(found.value().get()), kLimit);
    if (!read.ok()) return std::nullopt;
    return std::move(read).value();
  };
}

bool Source::has_file(const std::string& path) {
  if (image) return image->has_file(path);
  struct stat status {};
  return ::fstatat(fd.get(), path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISREG(status.st_mode);
}

bool Source::has_entry(const std::string& path) {
  if (image) return image->has_entry(path);
  return ::faccessat(fd.get(), path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<Policy> read_policy(Source& source) {
  const std::string path(kPolicyPath);
  // A policy that is there and cannot be read is not one that asks for nothing.
  const auto bytes =
      source.image ? TRY(source.image->read_file(path, kPolicyMaximum)) : source.reader()(path);
  if (!bytes) return Policy{};
  return decode_policy(*bytes);
}

}  // namespace rootlet
