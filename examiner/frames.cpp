// SPDX-License-Identifier: MIT
#include "examiner/frames.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace rootlet {
namespace {

constexpr std::size_t kGathered = 64u << 10;
constexpr std::string_view kTags = "ecfrmnxz";
constexpr std::string_view kKinds = "fdlhpcbs";

void put_little(std::string& out, std::uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((number >> (8 * i)) & 0xff);
}

std::uint64_t little(std::string_view bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    number = number << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return number;
}

}  // namespace

bool is_proper(std::string_view path) {
  if (path.empty() || path.size() > 4096 || path.find('\0') != path.npos) return false;
  std::size_t parts = 0;
  for (std::size_t at = 0; at <= path.size(); ++parts) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    if (part.empty() || part.size() > 255 || part == "." || part == "..") return false;
    at = end + 1;
  }
  return parts <= 256;
}

void put_number(std::string& out, std::uint64_t number) { put_little(out, number, 8); }

void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out += text;
}

std::optional<std::uint64_t> take_number(std::string_view& in) {
  if (in.size() < 8) return std::nullopt;
  const std::uint64_t number = little(in.substr(0, 8));
  in.remove_prefix(8);
  return number;
}

std::optional<std::string> take_text(std::string_view& in) {
  const auto size = take_number(in);
  if (!size || *size > in.size()) return std::nullopt;
  std::string text(in.substr(0, *size));
  in.remove_prefix(*size);
  return text;
}

std::string encode(const Member& member) {
  std::string body(1, member.kind);
  put_number(body, member.mode);
  put_number(body, member.mtime);
  put_number(body, member.size);
  put_text(body, member.path);
  put_text(body, member.target);
  return body;
}

std::optional<Member> decode_member(std::string_view body) {
  Member member;
  if (body.empty() || kKinds.find(body[0]) == kKinds.npos) return std::nullopt;
  member.kind = body[0];
  body.remove_prefix(1);
  const auto mode = take_number(body), mtime = take_number(body), size = take_number(body);
  auto path = take_text(body), target = take_text(body);
  if (!mode || !mtime || !size || !path || !target || !body.empty()) return std::nullopt;
  const bool link = member.kind == 'l' || member.kind == 'h';
  if (!is_proper(*path) || link == target->empty() || target->size() > 4096 ||
      target->find('\0') != target->npos || (member.kind == 'h' && !is_proper(*target))) {
    return std::nullopt;
  }
  member.mode = *mode & 07777;
  member.mtime = *mtime;
  member.size = *size;
  member.path = std::move(*path);
  member.target = std::move(*target);
  return member;
}

Result<std::optional<Frame>> take_frame(std::string& bytes) {
  if (bytes.size() < kFrameHead) return std::optional<Frame>();
  const std::uint64_t length = little(std::string_view(bytes).substr(1, 4));
  if (kTags.find(bytes[0]) == kTags.npos || length > kLargestFrame) {
    return plain_error("read what the examiner says", {}, "it makes no sense");
  }
  if (bytes.size() - kFrameHead < length) return std::optional<Frame>();
  Frame frame{static_cast<Tag>(bytes[0]), bytes.substr(kFrameHead, length)};
  bytes.erase(0, kFrameHead + length);
  return std::optional(std::move(frame));
}

void FrameWriter::put(Tag tag, std::string_view body) {
  waiting_ += static_cast<char>(tag);
  put_little(waiting_, body.size(), 4);
  waiting_ += body;
  if (waiting_.size() >= kGathered || tag == Tag::end || tag == Tag::error) flush();
}

void FrameWriter::fact(std::string_view name, std::string_view value) {
  std::string body;
  put_text(body, name);
  put_text(body, value);
  put(Tag::fact, body);
}

void FrameWriter::flush() {
  for (std::string_view rest = waiting_; !rest.empty();) {
    const ssize_t put = ::write(fd_, rest.data(), rest.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) ::_exit(1);
    rest.remove_prefix(static_cast<std::size_t>(put));
  }
  waiting_.clear();
}

}  // namespace rootlet
