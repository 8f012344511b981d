// SPDX-License-Identifier: MIT
#include "launcher/jar_shape.hpp"

#include <unistd.h>
#include <zlib.h>

#include <algorithm>

namespace rootlet {
namespace {

constexpr std::string_view kManifest = "META-INF/MANIFEST.MF";
constexpr std::uint64_t kLongestManifest = 16 << 20;

std::string inflated(const std::string& packed, std::uint64_t size) {
  std::string text(size, '\0');
  z_stream stream{};
  if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) return {};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  const bool whole = ::inflate(&stream, Z_FINISH) == Z_STREAM_END;
  ::inflateEnd(&stream);
  return whole ? text : std::string();
}

// Its lines, with those put together that were wrapped after 72 bytes (JAR File
// Specification, "Line length"). Empty where it cannot be read.
std::string manifest_text(const ZipArchive& archive, const ZipEntry& entry) {
  const auto content = archive.content(entry);
  if (!content.ok() || std::max(entry.stored, entry.size) > kLongestManifest) return {};
  std::string text(content.value().length, '\0');
  const auto got = ::pread(content.value().fd, text.data(), text.size(),
                           static_cast<off_t>(content.value().offset));
  if (got != static_cast<ssize_t>(text.size())) return {};
  if (entry.method != 0) text = inflated(text, entry.size);
  std::string lines;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\r') continue;
    const bool wrapped = text[at] == '\n' && at + 1 < text.size() && text[at + 1] == ' ';
    if (!wrapped) lines += text[at];
    if (wrapped) ++at;
  }
  return lines;
}

struct Seen {
  std::optional<ZipEntry> manifest;
  bool is_signed = false;
};

// META-INF/*.SF, and nothing below it (JAR File Specification, "Signed JAR File").
bool is_signature(const std::string& name) {
  constexpr std::string_view kTop = "META-INF/";
  if (!name.starts_with(kTop) || name.find('/', kTop.size()) != std::string::npos) return false;
  return name.ends_with(".SF") || name.ends_with(".sf");
}

}  // namespace

Result<JarShape> judge_shape(const ZipArchive& archive, const std::vector<JarImage>& images) {
  Seen seen;
  TRY(archive.each([&](const ZipEntry& entry) {
    if (entry.name == kManifest) seen.manifest = entry;
    seen.is_signed = seen.is_signed || is_signature(entry.name);
    return true;
  }));
  JarShape shape;
  // The `java` program of JDK 17 reads the manifest itself, with offsets of 32 bits.
  constexpr std::uint64_t kFar = std::uint64_t{1} << 32;
  if (seen.manifest && seen.manifest->header + archive.prefix() >= kFar) {
    shape.troubles.push_back(
        "java -jar cannot start it: META-INF/MANIFEST.MF lies beyond 4 GiB; make it the first "
        "entry (java -cp works)");
  }
  if (!seen.is_signed || !seen.manifest) return shape;
  const std::string lines = manifest_text(archive, *seen.manifest);
  for (const JarImage& image : images) {
    if (!image.image || lines.find("\nName: " + image.image->name + "\n") != std::string::npos) {
      continue;
    }
    shape.remarks.push_back("the jar is signed, and its signature does not cover " + image.name +
                            ": sign it again after images were added");
  }
  return shape;
}

}  // namespace rootlet
