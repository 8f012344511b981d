// SPDX-License-Identifier: MIT
#include "launcher/image_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "runtime/run/judged_source.hpp"
#include "runtime/run/paths.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kOpen = "open the image";

bool holds(int fd, std::uint64_t offset, std::string_view magic) {
  char bytes[8];
  return magic.size() <= sizeof bytes &&
         ::pread(fd, bytes, magic.size(), static_cast<off_t>(offset)) ==
             static_cast<ssize_t>(magic.size()) &&
         std::memcmp(bytes, magic.data(), magic.size()) == 0;
}

ImageFormat format_of(const ImageFile& image, std::uint64_t start) {
  const int fd = image.fd.get();
  if (holds(fd, start, "hsqs")) return ImageFormat::squashfs;
  return holds(fd, start + 8, "AI\2") ? ImageFormat::type_2 : ImageFormat::program;
}

}  // namespace

std::string_view format_name(ImageFormat format) {
  switch (format) {
    case ImageFormat::type_1: return "type-1 AppImage";
    case ImageFormat::type_2: return "type-2 AppImage";
    case ImageFormat::program: return "ELF with a squashfs";
    case ImageFormat::squashfs: return "squashfs";
    case ImageFormat::iso: break;
  }
  return "ISO 9660 image";
}

// ECMA-119, 8.1: volume descriptors begin at sector 16, with their type and "CD001".
bool is_iso_image(int fd, std::uint64_t at) {
  return holds(fd, at + 16 * 2048 + 1, "CD001") && !holds(fd, at, "hsqs");
}

Question ImageFile::question(std::string job, std::vector<std::string> words) const {
  Question question;
  question.job = std::move(job);
  question.words = std::move(words);
  question.file = fd.get();
  question.offset = offset;
  question.length = length;
  question.name = name;
  return question;
}

Result<ImageFile> open_image_file(const std::string& text) {
  ImageFile image;
  image.name = text;
  LocatedFile found = TRY(open_location(text));
  image.path = found.file;
  image.fd = std::move(found.fd);
  image.whole = found.whole;
  struct stat status {};
  if (::fstat(image.fd.get(), &status) != 0) return last_error(kOpen, text);
  if (!S_ISREG(status.st_mode)) {
    return plain_error(kOpen, text, "not a regular file",
                       "an AppImage, a squashfs, FILE@OFFSET or JAR!/ENTRY is wanted");
  }
  image.size = static_cast<std::uint64_t>(status.st_size);
  const FileRange part = TRY(locate_part(image.fd.get(), text));
  if (is_iso_image(part.fd, part.offset)) {
    const bool program = holds(part.fd, part.offset, "\177ELF");
    image.format = program ? ImageFormat::type_1 : ImageFormat::iso;
    image.offset = part.offset;
    image.length = part.length;
    return image;
  }
  const Payload payload = TRY(locate_payload(image.fd.get(), text));
  image.offset = payload.offset;
  image.length = payload.length;
  image.format = image.whole ? format_of(image, 0) : ImageFormat::squashfs;
  return image;
}

}  // namespace rootlet
