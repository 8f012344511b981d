// SPDX-License-Identifier: MIT
#include "examiner/frames.hpp"

#include <catch2/catch.hpp>

#include "examiner/patterns.hpp"

namespace rootlet {
namespace {

std::string frame_of(char tag, const std::string& body) {
  std::string bytes(1, tag);
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>((body.size() >> (8 * i)) & 0xff);
  return bytes + body;
}

TEST_CASE("a frame is taken once all of it is there") {
  const std::string whole = frame_of('f', "body");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::string part = whole.substr(0, size);
    const auto taken = take_frame(part);
    REQUIRE(taken.ok());
    CHECK_FALSE(taken.value().has_value());
    CHECK(part.size() == size);
  }
  std::string two = whole + frame_of('z', "");
  CHECK(take_frame(two).value()->body == "body");
  CHECK(take_frame(two).value()->tag == Tag::end);
  CHECK(two.empty());
}

TEST_CASE("what is no frame is an error, and no memory is taken for what it claims") {
  std::string unknown = frame_of('?', "x");
  CHECK_FALSE(take_frame(unknown).ok());
  std::string huge = std::string("c\xff\xff\xff\xff", 5);
  CHECK_FALSE(take_frame(huge).ok());
}

TEST_CASE("a member that is cut anywhere, or goes on, is none") {
  const Member member{'l', "usr/bin/x", "../y", 0777, 5, 6};
  const std::string body = encode(member);
  REQUIRE(decode_member(body));
  CHECK(decode_member(body)->target == "../y");
  for (std::size_t size = 0; size < body.size(); ++size) {
    CHECK_FALSE(decode_member(std::string_view(body).substr(0, size)));
  }
  CHECK_FALSE(decode_member(body + "x"));
}

TEST_CASE("a text that claims more bytes than there are is none") {
  std::string body;
  put_number(body, ~std::uint64_t{0});
  std::string_view rest = body;
  CHECK_FALSE(take_text(rest));
}

TEST_CASE("a member's path never leads out") {
  for (const char* path :
       {"", "/", "/etc", "..", "../x", "a/..", "a/../b", "a//b", "a/", ".", "a/./b"}) {
    INFO(path);
    CHECK_FALSE(is_proper(path));
    CHECK_FALSE(decode_member(encode(Member{'f', path, "", 0, 0, 0})));
    CHECK_FALSE(decode_member(encode(Member{'h', "a", path, 0, 0, 0})));
  }
  CHECK_FALSE(is_proper(std::string("a\0b", 3)));
  CHECK_FALSE(is_proper(std::string(256, 'a')));
  CHECK_FALSE(is_proper(std::string(4097, 'a')));
  for (const char* path : {"a", ".DirIcon", "...", "a/..b", "usr/share/x y\n"})
    CHECK(is_proper(path));
}

TEST_CASE("only links have a target, and set-id bits of a member never mean more than 12 bits") {
  CHECK_FALSE(decode_member(encode(Member{'f', "a", "b", 0, 0, 0})));
  CHECK_FALSE(decode_member(encode(Member{'l', "a", "", 0, 0, 0})));
  CHECK_FALSE(decode_member(encode(Member{'!', "a", "", 0, 0, 0})));
  CHECK(decode_member(encode(Member{'f', "a", "", 0xffffffff, 0, 0}))->mode == 07777);
}

TEST_CASE("a pattern wants what it matches and what lies below") {
  CHECK(is_wanted({}, "a/b"));
  CHECK(is_wanted({"usr/share"}, "usr/share/doc/x"));
  CHECK(is_wanted({"*.desktop"}, "a/b.desktop"));
  CHECK_FALSE(is_wanted({"usr/share"}, "usr/shared"));
  CHECK_FALSE(is_wanted({"share"}, "usr/share"));
}

}  // namespace
}  // namespace rootlet
