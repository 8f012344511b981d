// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

// What rootlet-examiner hands back: frames, each a tag, a length and bytes. The
// reading side believes none of it.
namespace rootlet {

enum class Tag : char {
  member = 'e',    // a name of the image (Member)
  content = 'c',   // bytes of the member or resource before
  fact = 'f',      // name, value
  resource = 'r',  // kind, path, size: a file that says something about the image
  element = 'm',   // a piece of a MIME package (what, name, value)
  note = 'n',      // something was left out, and why
  error = 'x',     // reason, hint; the last one
  end = 'z'        // all was said
};

struct Frame {
  Tag tag = Tag::end;
  std::string body;
};

constexpr std::size_t kLargestFrame = 2u << 20;
constexpr std::size_t kFrameHead = 5;  // the tag, and the length, low byte first

// What a directory of the image holds.
struct Member {
  char kind = '?';     // f d l p c b s as find(1) has them; h: a further name of `target`
  std::string path;    // no leading slash
  std::string target;  // of a link
  std::uint64_t mode = 0, mtime = 0, size = 0;
};

// A path of an image that names something in it and nothing else: no empty
// part, no "." or "..", no NUL, at most 4096 bytes and 256 parts.
bool is_proper(std::string_view path);

// Texts and numbers in a body.
void put_number(std::string& out, std::uint64_t number);
void put_text(std::string& out, std::string_view text);
std::optional<std::uint64_t> take_number(std::string_view& in);
std::optional<std::string> take_text(std::string_view& in);

std::string encode(const Member& member);
std::optional<Member> decode_member(std::string_view body);  // nothing: no proper one

// Takes the first frame off `bytes`. Nothing: more bytes are needed. An error:
// no frame begins there.
Result<std::optional<Frame>> take_frame(std::string& bytes);

// Writes frames, gathered to large writes. A reader that is gone ends the
// process.
class FrameWriter {
 public:
  explicit FrameWriter(int fd) : fd_(fd) {}

  void put(Tag tag, std::string_view body);
  void fact(std::string_view name, std::string_view value);
  void note(std::string_view text) { put(Tag::note, text); }
  void flush();

 private:
  int fd_;
  std::string waiting_;
};

}  // namespace rootlet
