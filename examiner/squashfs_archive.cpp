// SPDX-License-Identifier: MIT
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "examiner/archive.hpp"
#include "launcher/lzo.hpp"
#include "runtime/image/file_reader.hpp"
#include "runtime/image/listing.hpp"
#include "runtime/image/squashfs.hpp"

namespace rootlet::examiner {
namespace {

constexpr std::size_t kCache = 16u << 20;  // files that lie near each other share blocks

char kind_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG: return 'f';
    case S_IFDIR: return 'd';
    case S_IFLNK: return 'l';
    case S_IFIFO: return 'p';
    case S_IFCHR: return 'c';
    case S_IFBLK: return 'b';
    default: return 's';
  }
}

class SquashfsContent : public Content {
 public:
  SquashfsContent(image::FileReader& reader, const sqfs_inode& inode, const std::string& path)
      : reader_(reader), inode_(inode), path_(path) {}
  Status read(const Sink& sink) override {
    return image::read_content(reader_, inode_, path_, sink);
  }

 private:
  image::FileReader& reader_;
  const sqfs_inode& inode_;
  const std::string& path_;
};

class SquashfsArchive : public Archive {
 public:
  explicit SquashfsArchive(image::Squashfs image)
      : image_(std::move(image)), reader_(image_.raw(), kCache) {}

  Status walk(const Visit& visit) override {
    return image::list_all(image_,
                           [&](const image::Listed& listed, const sqfs_inode& inode) -> Status {
                             Member member{kind_of(listed.mode), listed.path,  listed.target,
                                           listed.mode & 07777u, listed.mtime, listed.size};
                             SquashfsContent content(reader_, inode, listed.path);
                             return visit(member, content);
                           });
  }

 private:
  image::Squashfs image_;
  image::FileReader reader_;
};

bool holds(std::uint64_t offset, std::string_view magic) {
  std::array<char, 8> bytes{};
  const ssize_t got = ::pread(kFile, bytes.data(), std::min(bytes.size(), magic.size()),
                              static_cast<off_t>(offset));
  return got == static_cast<ssize_t>(magic.size()) &&
         std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

}  // namespace

Result<std::unique_ptr<Archive>> open_archive(std::uint64_t offset, std::uint64_t length) {
  // ISO 9660 volume descriptors begin at sector 16 (ECMA-119, 8.1).
  if (!holds(offset, "hsqs") && holds(offset + 16 * 2048 + 1, "CD001")) {
    return open_iso(offset, length);
  }
  add_lzo_images();
  image::Squashfs image = TRY(image::Squashfs::open({kFile, offset, length}, "the image"));
  return std::unique_ptr<Archive>(std::make_unique<SquashfsArchive>(std::move(image)));
}

}  // namespace rootlet::examiner
