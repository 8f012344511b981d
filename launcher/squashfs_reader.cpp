// SPDX-License-Identifier: MIT
#include "launcher/squashfs_reader.hpp"

extern "C" {
#include <squashfuse/squashfuse.h>
}
#include <sys/stat.h>

namespace rootlet {
namespace {

constexpr std::string_view kRead = "read the image";

Error damaged(const std::string& name, std::string_view what) {
  return plain_error(kRead, name, what, "the file is damaged; copy or download it again");
}

}  // namespace

struct SquashfsReader::Image {
  sqfs fs{};
  bool open = false;

  Image() = default;
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;
  ~Image() {
    if (open) ::sqfs_destroy(&fs);
  }
};

SquashfsReader::SquashfsReader(std::unique_ptr<Image> image, std::string name)
    : image_(std::move(image)), name_(std::move(name)) {}
SquashfsReader::SquashfsReader(SquashfsReader&&) noexcept = default;
SquashfsReader::~SquashfsReader() = default;

Result<SquashfsReader> SquashfsReader::open(int fd, std::uint64_t offset, const std::string& name) {
  auto image = std::make_unique<Image>();
  switch (::sqfs_init(&image->fs, fd, offset)) {
    case SQFS_OK: image->open = true; break;
    case SQFS_BADCOMP:
      return plain_error(kRead, name, "compressed in a way that this build cannot read");
    case SQFS_BADFORMAT:
    case SQFS_BADVERSION:
    case SQFS_UNSUP:
    case SQFS_ERR: return damaged(name, "its tables cannot be read");
  }
  return SquashfsReader(std::move(image), name);
}

Result<std::string> SquashfsReader::read_file(const std::string& path, std::size_t limit) {
  sqfs_inode inode;
  if (::sqfs_inode_get(&image_->fs, &inode, ::sqfs_inode_root(&image_->fs)) != SQFS_OK) {
    return damaged(name_, "its root directory cannot be read");
  }
  bool found = false;
  if (::sqfs_lookup_path(&image_->fs, &inode, path.c_str(), &found) != SQFS_OK) {
    return damaged(name_, "the directory of /" + path + " cannot be read");
  }
  if (!found || !S_ISREG(inode.base.mode)) {
    return Error{ENOENT, std::string(kRead), name_ + ": /" + path, {}, {}};
  }
  const std::uint64_t size = inode.xtra.reg.file_size;
  if (size > limit) return damaged(name_, "/" + path + " is implausibly large");
  std::string text(size, '\0');
  for (std::uint64_t at = 0; at < size;) {
    sqfs_off_t got = static_cast<sqfs_off_t>(size - at);
    const auto from = static_cast<sqfs_off_t>(at);
    if (::sqfs_read_range(&image_->fs, &inode, from, &got, text.data() + at) != SQFS_OK ||
        got <= 0) {
      return damaged(name_, "/" + path + " cannot be read");
    }
    at += static_cast<std::uint64_t>(got);
  }
  return text;
}

Result<std::string> SquashfsReader::find_in_root(const std::string& ending) {
  sqfs_inode inode;
  sqfs_dir directory;
  if (::sqfs_inode_get(&image_->fs, &inode, ::sqfs_inode_root(&image_->fs)) != SQFS_OK ||
      ::sqfs_dir_open(&image_->fs, &inode, &directory, 0) != SQFS_OK) {
    return damaged(name_, "its root directory cannot be read");
  }
  sqfs_name buffer;
  sqfs_dir_entry entry;
  ::sqfs_dentry_init(&entry, buffer);
  sqfs_err error = SQFS_OK;
  while (::sqfs_dir_next(&image_->fs, &directory, &entry, &error)) {
    const std::string name(::sqfs_dentry_name(&entry), ::sqfs_dentry_name_size(&entry));
    if (name.ends_with(ending)) return name;
  }
  if (error != SQFS_OK) return damaged(name_, "its root directory cannot be read");
  return std::string();
}

}  // namespace rootlet
