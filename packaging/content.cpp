// SPDX-License-Identifier: MIT
#include "packaging/content.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

namespace rootlet::packaging {
namespace {

constexpr std::string_view kRead = "read the source";

Error changed(const std::string& name) {
  return plain_error(kRead, name, "it changed while it was being packed", "build again");
}

}  // namespace

Result<os::Fd> open_beneath(int root, const std::string& path, int flags) {
  struct open_how how {};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC | O_NOFOLLOW);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  // Linux 5.6+: openat2(2).
  const long fd = ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
  if (fd >= 0) return os::Fd(static_cast<int>(fd));
  if (errno != ENOSYS && errno != EPERM) return last_error(kRead, path);
  // An older kernel, or a seccomp filter that does not know the call: only the
  // last component is then kept from being a symlink.
  const int plain = ::openat(root, path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW);
  if (plain < 0) return last_error(kRead, path);
  return os::Fd(plain);
}

Status OpenContent::read_at(std::uint64_t offset, char* out, std::size_t size) const {
  if (text_) {
    if (offset > text_->size() || size > text_->size() - offset) return changed(name_);
    std::memcpy(out, text_->data() + offset, size);
    return Done{};
  }
  if (reading_) return reading_->read_at(offset, out, size);
  while (size > 0) {
    const ssize_t got = ::pread(file_->get(), out, size, static_cast<off_t>(base_ + offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return last_error(kRead, name_);
    if (got == 0) return changed(name_);
    out += got;
    offset += static_cast<std::uint64_t>(got);
    size -= static_cast<std::size_t>(got);
  }
  return Done{};
}

Content Content::of_text(std::string text) {
  Content content;
  content.text_ = std::make_shared<const std::string>(std::move(text));
  return content;
}

Content Content::of_range(std::shared_ptr<const os::Fd> file, std::uint64_t base,
                          std::string name) {
  Content content;
  content.file_ = std::move(file);
  content.base_ = base;
  content.path_ = std::move(name);
  return content;
}

Content Content::of_host(std::shared_ptr<const os::Fd> root, std::string path) {
  Content content;
  content.file_ = std::move(root);
  content.path_ = std::move(path);
  content.host_ = true;
  return content;
}

Content Content::of_reading(std::shared_ptr<const Reading> reading) {
  Content content;
  content.reading_ = std::move(reading);
  return content;
}

Result<OpenContent> Content::open() const {
  OpenContent open;
  open.name_ = path_;
  open.base_ = base_;
  open.text_ = text_;
  open.file_ = file_;
  open.reading_ = reading_;
  if (host_) {
    open.file_ = std::make_shared<const os::Fd>(
        TRY(open_beneath(file_->get(), path_, O_RDONLY | O_NONBLOCK)));
  } else if (!file_ && !text_ && !reading_) {
    open.text_ = std::make_shared<const std::string>();
  }
  return open;
}

}  // namespace rootlet::packaging
