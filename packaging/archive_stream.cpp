// SPDX-License-Identifier: MIT
#include "packaging/archive_stream.hpp"

#include <algorithm>

namespace rootlet::packaging {
namespace {

constexpr std::string_view kRead = "read the archive";
// Text reaches 20, sparse disk images some hundred; deflate ends at 1032.
constexpr std::uint64_t kSuspiciousFrom = 2ull << 30;
constexpr std::uint64_t kSuspiciousRatio = 500;

}  // namespace

la_ssize_t Unpacked::feed(archive* handle, void* self, const void** bytes) {
  auto& me = *static_cast<Unpacked*>(self);
  const std::size_t size = std::min<std::uint64_t>(me.buffer_.size(), me.size_ - me.at_);
  const Status got = me.content_.read_at(me.at_, me.buffer_.data(), size);
  if (!got.ok()) {
    me.read_error_ = got.error().explanation();
    ::archive_set_error(handle, EIO, "%s", me.read_error_.c_str());
    return -1;
  }
  me.at_ += size;
  *bytes = me.buffer_.data();
  return static_cast<la_ssize_t>(size);
}

Result<std::unique_ptr<Unpacked>> Unpacked::open(const OpenContent& content, std::uint64_t size,
                                                 std::string name, const UnpackLimit& limit) {
  std::unique_ptr<Unpacked> self(new Unpacked(content, size, std::move(name), limit));
  if (size == 0) return self;  // an empty file is no archive of any kind
  self->handle_.reset(::archive_read_new());
  archive* handle = self->handle_.get();
  if (handle == nullptr) return Error{ENOMEM, std::string(kRead), self->name_, {}, {}};
  for (const auto filter :
       {::archive_read_support_filter_gzip, ::archive_read_support_filter_zstd,
        ::archive_read_support_filter_xz, ::archive_read_support_filter_bzip2}) {
    filter(handle);
  }
  ::archive_read_support_format_raw(handle);
  archive_entry* entry = nullptr;
  if (::archive_read_open(handle, self.get(), nullptr, feed, nullptr) != ARCHIVE_OK ||
      ::archive_read_next_header(handle, &entry) != ARCHIVE_OK) {
    return self->failure();
  }
  return self;
}

Error Unpacked::failure() const {
  const char* text = ::archive_error_string(handle_.get());
  return plain_error(kRead, name_, text != nullptr ? text : "it cannot be unpacked");
}

Result<std::string_view> Unpacked::next() {
  if (!handle_) return std::string_view();
  const void* bytes = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  const int got = ::archive_read_data_block(handle_.get(), &bytes, &size, &offset);
  if (got == ARCHIVE_EOF) return std::string_view();
  if (got != ARCHIVE_OK) return failure();
  unpacked_ += size;
  const bool bomb =
      !limit_.asked_for && unpacked_ > kSuspiciousFrom && unpacked_ / kSuspiciousRatio > at_;
  if (unpacked_ > limit_.most || bomb) {
    return plain_error(kRead, name_,
                       "it unpacks to more than " + std::to_string(unpacked_ >> 20) +
                           " MiB out of " + std::to_string(at_ >> 10) + " KiB",
                       "if that is right, say how much it may be: --max-size=SIZE");
  }
  const std::string_view part(static_cast<const char*>(bytes), size);
  digest_.add(part);
  return part;
}

}  // namespace rootlet::packaging
