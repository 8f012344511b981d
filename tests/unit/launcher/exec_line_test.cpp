// SPDX-License-Identifier: MIT
#include "launcher/exec_line.hpp"

#include <catch2/catch.hpp>

#include "launcher/desktop_entry.hpp"

namespace rootlet {
namespace {

std::string rewritten(const std::string& value, const std::string& program = "/x") {
  std::string why;
  return exec_with_program(value, program, why);
}

TEST_CASE("the first word of Exec becomes the file, the others stay") {
  CHECK(rewritten("app %F") == "/x %F");
  CHECK(rewritten("\"an app\" --a=b \"c d\"") == "/x --a=b \"c d\"");
  CHECK(rewritten("") == "/x");
}

TEST_CASE("a file's path is quoted as the specification has it") {
  CHECK(rewritten("a", "/a b") == "\"/a b\"");
  CHECK(rewritten("a", "/50%") == "/50%%");
  CHECK(rewritten("a", "/a$b") == "\"/a\\\\$b\"");
  CHECK(rewritten("a", "/a\\b") == "\"/a\\\\\\\\b\"");
}

TEST_CASE("deprecated field codes go without a word, unknown ones are told") {
  std::string why;
  CHECK(exec_with_program("a %m %U", "/x", why) == "/x %U");
  CHECK(why.empty());
  CHECK(exec_with_program("a %y b", "/x", why) == "/x b");
  CHECK(why.find("%y") != why.npos);
  CHECK(exec_with_program("a b%", "/x", why) == "/x");
}

TEST_CASE("a line that makes no sense leaves the file alone") {
  for (const char* value : {"a \"b", "a b\\nExec=c", "a \\r"}) {
    std::string why;
    CHECK(exec_with_program(value, "/x", why) == "/x");
    CHECK_FALSE(why.empty());
  }
}

TEST_CASE("the first value of a key counts, the first group of a name, and lines must be lines") {
  const auto entry = DesktopEntry::parse(
      "# c\n[Desktop Entry]\nName=a\nName=b\nName[de]=c\nwrong\n=x\nA b=1\n[Desktop "
      "Entry]\nName=d\n");
  REQUIRE(entry.ok());
  CHECK(entry.value().value("Name") == "a");
  CHECK(entry.value().left_out() == 6);
  CHECK(entry.value().text() == "[Desktop Entry]\nName=a\nName[de]=c\n");
  CHECK_FALSE(DesktopEntry::parse("Name=a\n").ok());
  CHECK_FALSE(DesktopEntry::parse("[Desktop Entry]\nName=\xff\n").ok());
}

TEST_CASE("UTF-8 is what RFC 3629 calls so") {
  for (const char* good : {"", "a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"})
    CHECK(is_utf8(good));
  for (const char* bad : {"\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80",
                          "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80"}) {
    CHECK_FALSE(is_utf8(bad));
  }
}

}  // namespace
}  // namespace rootlet
