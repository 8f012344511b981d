// SPDX-License-Identifier: MIT
#include "runtime/payload/zip.hpp"

#include <unistd.h>

#include <optional>
#include <string_view>

#include "runtime/payload/zip_archive.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kFind = "find the image in the archive";

Error broken(const std::string& archive, std::string_view reason) {
  return plain_error(kFind, archive, reason, "build the archive again");
}

Status check_stored(const ZipEntry& entry, const std::string& subject) {
  if ((entry.flags & 1) != 0) return plain_error(kFind, subject, "the entry is encrypted");
  if (entry.method != 0) {
    return plain_error(kFind, subject, "the entry is compressed, so it cannot be mounted in place",
                       "store it: rootlet jar add, or zip -0, as the last step of packaging");
  }
  if (entry.stored != entry.size) return broken(subject, "its two sizes differ");
  return Done{};
}

Result<std::string> read_link(const FileRange& link, const std::string& jar) {
  constexpr std::uint64_t kLongest = 4096;
  if (link.length > kLongest) return broken(jar, "a link in it is too long");
  std::string path(link.length, '\0');
  const ssize_t got = ::pread(link.fd, path.data(), path.size(), static_cast<off_t>(link.offset));
  if (got < 0) return last_error(kFind, jar);
  if (got != static_cast<ssize_t>(link.length)) return broken(jar, "it ends too early");
  return path;
}

}  // namespace

std::string machine_classifier() {
#if defined(__aarch64__)
  return "linux-aarch_64";
#else
  return "linux-x86_64";
#endif
}

Result<FileRange> find_stored_entry(const FileRange& range, const std::string& path,
                                    const std::string& archive) {
  const ZipArchive zip = TRY(ZipArchive::open(range, archive));
  const std::string subject = archive + "!/" + path;
  std::optional<ZipEntry> found;
  bool twice = false;
  TRY(zip.each([&](const ZipEntry& entry) {
    if (entry.name != path) return true;
    twice = found.has_value();
    found = entry;
    return !twice;
  }));
  if (twice) return broken(subject, "the archive has two entries of this name");
  if (!found) {
    Error error = plain_error(kFind, subject, "the archive has no such entry",
                              "rootlet jar list, or unzip -l, shows what it holds");
    error.code = ENOENT;
    return error;
  }
  TRY(check_stored(*found, subject));
  const FileRange content = TRY(zip.content(*found));
  const std::uint64_t begin = found->header;
  const std::uint64_t end = content.offset - range.offset + content.length;
  bool overlaps = false;
  TRY(zip.each([&](const ZipEntry& entry) {
    overlaps = entry.header > begin && entry.header < end;
    return !overlaps;
  }));
  if (overlaps) return broken(subject, "another entry lies inside of it");
  return content;
}

Result<FileRange> find_in_jar(const FileRange& jar_range, const std::string& entry,
                              const std::string& jar) {
  constexpr std::string_view kInto = "!/";
  const std::size_t inner = entry.find(kInto);
  if (inner != std::string::npos) {
    const std::string outer = entry.substr(0, inner);
    const FileRange range = TRY(find_stored_entry(jar_range, outer, jar));
    return find_in_jar(range, entry.substr(inner + kInto.size()), jar + "!/" + outer);
  }
  auto found = find_stored_entry(jar_range, entry, jar);
  if (found.ok() || found.error().code != ENOENT || entry.find('/') != std::string::npos) {
    return found;
  }
  const std::string stem = "META-INF/rootlet/" + entry + "/" + machine_classifier() + "/" + entry;
  auto image = find_stored_entry(jar_range, stem + ".AppImage", jar);
  if (image.ok() || image.error().code != ENOENT) return image;
  // Another name of an image that the jar holds already: a text, its path.
  auto link = find_stored_entry(jar_range, stem + ".link", jar);
  if (link.ok()) return find_stored_entry(jar_range, TRY(read_link(link.value(), jar)), jar);
  if (link.error().code != ENOENT) return link;
  return found;  // the short name is what the user knows
}

}  // namespace rootlet
