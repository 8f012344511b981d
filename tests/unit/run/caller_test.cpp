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
  const std::string text = passwd_with(somebody(), 1000, 100, "root:x:0:0::/root:/bin/sh\n");
  CHECK(text == "ada:x:1000:100::/home/ada:/bin/sh\nroot:x:0:0::/root:/bin/sh\n");
}

TEST_CASE("a line of the image with the caller's name or number gives way") {
  const std::string text =
      passwd_with(somebody(), 1000, 100,
                  "ada:x:5:5::/:/bin/sh\nubuntu:x:1000:1000::/:/bin/sh\nbin:x:2:2::/:/bin/sh");
  CHECK(text == "ada:x:1000:100::/home/ada:/bin/sh\nbin:x:2:2::/:/bin/sh\n");
}

TEST_CASE("an empty group file gains the caller's group") {
  CHECK(group_with(somebody(), 100, "") == "users:x:100:\n");
}

TEST_CASE("under another number the caller has the name that the image has for it") {
  const std::string image = "root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/:/bin/sh\n";
  CHECK(passwd_with(somebody(), 0, 0, image) ==
        "root:x:0:0::/home/ada:/bin/sh\nada:x:1000:1000::/:/bin/sh\n");
  CHECK(passwd_with(somebody(), 7, 0, "") == "user:x:7:0::/home/ada:/bin/sh\n");
  CHECK(group_with(somebody(), 0, "") == "root:x:0:\n");
}
