// SPDX-License-Identifier: MIT
#include "packaging/update_information.hpp"

#include <catch2/catch.hpp>

using namespace rootlet::packaging;
using Transport = UpdateInformation::Transport;

TEST_CASE("update information of each form is told apart, with what is wrong") {
  const struct {
    const char* text;
    Transport transport;
    bool usable;
  } cases[] = {
      {"", Transport::none, true},
      {"zsync|https://x/y.zsync", Transport::zsync, true},
      {"zsync|file:///y.zsync", Transport::zsync, true},
      {"zsync|ftp://x/y", Transport::zsync, false},
      {"zsync", Transport::zsync, false},
      {"zsync|https://a|b", Transport::zsync, false},
      {"gh-releases-zsync|u|r|latest|*.zsync", Transport::github, true},
      {"gh-releases-zsync|u||latest|*.zsync", Transport::github, false},
      {"gh-releases-zsync|u|r|latest|*.AppImage", Transport::github, false},
      {"pling-v1-zsync|12|*.zsync", Transport::pling, true},
      {"bintray-zsync|a|b|c|d", Transport::ended, false},
      {"gh-releases-direct|u|r|latest|*", Transport::others, true},
      {"zsync|https://x/a b", Transport::unknown, false},
      {"zsync|https://x/\x1b[2J", Transport::unknown, false},
      {"what|ever", Transport::unknown, false},
  };
  for (const auto& one : cases) {
    INFO(one.text);
    const UpdateInformation read = read_update_information(one.text);
    CHECK(read.transport == one.transport);
    CHECK(read.problem.empty() == one.usable);
  }
}

TEST_CASE("build writes the three live forms alone") {
  CHECK(check_update_information("zsync|https://x/y.zsync").ok());
  CHECK(check_update_information("pling-v1-zsync|12|*.zsync").ok());
  for (const char* wrong :
       {"", "gh-releases-direct|u|r|latest|*", "bintray-zsync|a|b|c|d", "what"}) {
    INFO(wrong);
    CHECK((check_update_information(wrong).ok() == (wrong[0] == '\0')));
  }
}
