// SPDX-License-Identifier: MIT
#include "runtime/run/caller.hpp"

#include <catch2/catch.hpp>

using namespace rootlet;

namespace {
Caller somebody() {
  Caller caller;
  caller.uid = 1000;
  caller.gid = 100;
  caller.user = "ada";
  caller.group = "users";
  caller.home = "/home/ada";
  caller.shell = "/bin/sh";
  return caller;
}
}  // namespace

TEST_CASE("the image's passwd gains the caller's line, found by name and by number") {
  const std::string text = passwd_with(somebody(), "root:x:0:0::/root:/bin/sh\n");
  CHECK(text == "ada:x:1000:100::/home/ada:/bin/sh\nroot:x:0:0::/root:/bin/sh\n");
}

TEST_CASE("a line of the image with the caller's name or number gives way") {
  const std::string text = passwd_with(
      somebody(), "ada:x:5:5::/:/bin/sh\nubuntu:x:1000:1000::/:/bin/sh\nbin:x:2:2::/:/bin/sh");
  CHECK(text == "ada:x:1000:100::/home/ada:/bin/sh\nbin:x:2:2::/:/bin/sh\n");
}

TEST_CASE("an empty group file gains the caller's group") {
  CHECK(group_with(somebody(), "") == "users:x:100:\n");
}
