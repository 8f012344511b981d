// SPDX-License-Identifier: MIT
#include "launcher/configuration.hpp"

#include <catch2/catch.hpp>

#include "launcher/toml_lines.hpp"

using namespace rootlet;

TEST_CASE("a file of settings is read: texts, numbers, flags, arrays, comments") {
  auto content = parse_configuration(
      "# of the site\n"
      "[isolation]   # and more\n"
      "profile = \"contained\"\n"
      "pids=100\n"
      "clean-env = true\r\n"
      "bind = [ '/a\\b', # first\n  \"/c:\\t\\\"d\\\"\",\n]\n",
      "f");
  REQUIRE(content.ok());
  const auto& lines = content.value().settings;
  REQUIRE(lines.size() == 5);
  CHECK(lines[0].value == "contained");
  CHECK(lines[1].value == "100");
  CHECK((lines[2].is_flag && lines[2].value == "true"));
  CHECK(lines[3].value == "/a\\b");
  CHECK(lines[4].value == "/c:\t\"d\"");
  CHECK(lines[4].number == 6);
}

TEST_CASE("what is no setting is refused with its line") {
  for (const char* text :
       {"[isolation]\nx", "[isolation]\nx =", "[isolation]\nx = y", "[isolation]\nx = \"open",
        "[isolation]\nx = [1 2]", "[isolation]\nx = [", "[isolation\nx = 1",
        "[isolation]\nx = 1 y = 2", "[isolation]\nx = \"\\q\"", "[isolation]\n= 1",
        "[isolation]\nx = 1.5", "[tool]\nx = 1", "\nx = 1"}) {
    INFO(text);
    auto content = parse_configuration(text, "f");
    REQUIRE_FALSE(content.ok());
    CHECK(content.error().subject.starts_with("f:"));
  }
}

TEST_CASE("no text of 64 bytes makes the reader of settings run away") {
  std::uint64_t state = 7;
  int refused = 0;
  const std::string_view letters = "[]=\"'#\n\\ ,ab1t";
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (int i = 0; i < 64; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      text += letters[(state >> 33) % letters.size()];
    }
    const auto read = read_toml(text, "f");
    if (read.ok()) continue;
    ++refused;
    REQUIRE(read.error().subject.starts_with("f:"));  // and names the line
  }
  CHECK(refused > 15000);
}
