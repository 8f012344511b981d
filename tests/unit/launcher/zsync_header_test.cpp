// SPDX-License-Identifier: MIT
#include "launcher/zsync_header.hpp"

#include <catch2/catch.hpp>

using namespace rootlet;

namespace {

const std::string kHeader =
    "zsync: 0.6.2\nFilename: tool.AppImage\nBlocksize: 2048\nLength: 1234567\nHash-Lengths: 2,2,4\n"
    "URL: tool.AppImage\nSHA-1: 0123456789ABCDEF0123456789abcdef01234567\n\n";

std::string without(const std::string& key) {
  const std::size_t at = kHeader.find(key + ": ");
  return kHeader.substr(0, at) + kHeader.substr(kHeader.find('\n', at) + 1);
}

}  // namespace

TEST_CASE("the head of a zsync file tells length, digest and where the file is") {
  const auto header = parse_zsync_header(kHeader + std::string(100, '\0'), "x.zsync");
  REQUIRE(header.ok());
  CHECK(header.value().length == 1234567);
  CHECK(header.value().sha1 == "0123456789abcdef0123456789abcdef01234567");
  CHECK(header.value().url == "tool.AppImage");
}

TEST_CASE("a zsync file that lacks something is refused") {
  for (const std::string& wrong :
       {std::string(), std::string("<html>"), kHeader.substr(0, kHeader.size() - 1),
        without("zsync"), without("Length"), without("SHA-1"), without("URL")}) {
    INFO(wrong);
    CHECK_FALSE(parse_zsync_header(wrong, "x.zsync").ok());
  }
  std::string wrong = kHeader;
  wrong.replace(wrong.find("1234567"), 7, "12x4567");
  CHECK_FALSE(parse_zsync_header(wrong, "x.zsync").ok());
}

TEST_CASE("an address in a zsync file counts from where the file was found") {
  const std::string base = "https://example.org/a/b.zsync?x=1/2";
  CHECK(resolve_url(base, "b.AppImage") == "https://example.org/a/b.AppImage");
  CHECK(resolve_url(base, "/c") == "https://example.org/c");
  CHECK(resolve_url(base, "http://other/d") == "http://other/d");
  CHECK(resolve_url("https://example.org", "c") == "https://example.org/c");
  CHECK(resolve_url("dir/b.zsync", "c") == "dir/c");
  CHECK(resolve_url("b.zsync", "c") == "c");
}
