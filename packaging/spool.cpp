// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <algorithm>

#include "packaging/scratch.hpp"
#include "packaging/tar_reader.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::string_view kWrite = "write the scratch file";
constexpr std::string_view kRoom = "set TMPDIR to a directory with room for the unpacked archive";
// Each costs some hundred bytes of memory.
constexpr std::uint64_t kMostMembers = 4'000'000;

bool all_zero(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

}  // namespace

Result<std::shared_ptr<Spool>> Spool::make(const UnpackLimit& limit) {
  return std::shared_ptr<Spool>(new Spool(TRY(open_scratch_file()), limit));
}

Status Spool::count_member(const std::string& name) {
  if (++members_ <= kMostMembers) return Done{};
  return plain_error("read the archive", name,
                     "it has more than " + std::to_string(kMostMembers) + " members");
}

Status Spool::write(std::string_view bytes, std::uint64_t at, const std::string& name) {
  if (at > limit_.most || end_ + at + bytes.size() > limit_.most) {
    return plain_error("read the archive", name,
                       "its files are more than " + std::to_string(limit_.most >> 20) + " MiB",
                       "if that is right, say how much it may be: --max-size=SIZE");
  }
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, 4096);
    if (all_zero(part)) {
      bytes.remove_prefix(part.size());
      at += part.size();
      continue;
    }
    // On to the next page of zeros.
    std::size_t size = part.size();
    while (size < bytes.size() && !all_zero(bytes.substr(size, 4096))) {
      size = std::min(bytes.size(), size + 4096);
    }
    const ssize_t put = ::pwrite(file_->get(), bytes.data(), size, static_cast<off_t>(end_ + at));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return last_error(kWrite, name, kRoom);
    bytes.remove_prefix(static_cast<std::size_t>(put));
    at += static_cast<std::uint64_t>(put);
  }
  return Done{};
}

Result<Content> Spool::finish(std::uint64_t size, const std::string& name) {
  TRY(write({}, size, name));
  const std::uint64_t begin = end_;
  end_ += size;
  // A hole at the end of a member must be readable too.
  if (::ftruncate(file_->get(), static_cast<off_t>(end_)) != 0) {
    return last_error(kWrite, name, kRoom);
  }
  return Content::of_range(file_, begin, name);
}

}  // namespace rootlet::packaging
