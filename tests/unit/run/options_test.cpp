// SPDX-License-Identifier: MIT
#include "runtime/run/options.hpp"

#include <catch2/catch.hpp>

using namespace rootlet;
using Words = std::vector<std::string>;

TEST_CASE("our options are read while they lead, and the rest is the tool's") {
  auto line = parse_packaged({"--rootlet-net=host", "-v", "--rootlet-net=none", "--", ""}, false);
  REQUIRE(line.ok());
  CHECK(line.value().options.network == Network::host);
  CHECK(line.value().arguments == Words{"-v", "--rootlet-net=none", "--", ""});
}

TEST_CASE("an appimage option acts only as the first argument after ours") {
  auto first = parse_packaged({"--rootlet-verbose", "--appimage-extract", "usr/*"}, false);
  REQUIRE(first.ok());
  CHECK(first.value().appimage == "extract");
  CHECK(first.value().arguments == Words{"usr/*"});
  auto later = parse_packaged({"x", "--appimage-extract"}, false);
  REQUIRE(later.ok());
  CHECK_FALSE(later.value().appimage.has_value());
  CHECK(later.value().arguments == Words{"x", "--appimage-extract"});
}

TEST_CASE("raw arguments are all the tool's") {
  auto line = parse_packaged({"--rootlet-help", "--appimage-help"}, true);
  REQUIRE(line.ok());
  CHECK(line.value().arguments.size() == 2);
  CHECK_FALSE(line.value().options.help);
}

TEST_CASE("a mistyped option is refused with the one that was meant") {
  auto line = parse_packaged({"--rootlet-profil=isolated"}, false);
  REQUIRE_FALSE(line.ok());
  CHECK(line.error().hint == "did you mean --rootlet-profile?");
  CHECK(line.error().exit_code == 125);
}

TEST_CASE("a value that is not one of the words is refused with the words") {
  auto line = parse_packaged({"--rootlet-net=hots"}, false);
  REQUIRE_FALSE(line.ok());
  CHECK(line.error().hint ==
        "did you mean --rootlet-net=host? valid: --rootlet-net=none|host|private");
}

TEST_CASE("a bind takes a target and a mode, and a backslash keeps a colon") {
  auto line = parse_packaged({R"(--rootlet-bind=/a\:b:/c:ro)", "--rootlet-bind=data"}, false);
  REQUIRE(line.ok());
  const auto& binds = line.value().options.binds;
  REQUIRE(binds.size() == 2);
  CHECK(binds[0].source == "/a:b");
  CHECK(binds[0].target == "/c");
  CHECK(binds[0].writable == false);
  CHECK(binds[1].source == "data");
  CHECK_FALSE(binds[1].writable.has_value());
}

TEST_CASE("an empty or relative bind target is refused") {
  CHECK_FALSE(parse_packaged({"--rootlet-bind=:/mnt"}, false).ok());
  CHECK_FALSE(parse_packaged({"--rootlet-bind=/a:mnt"}, false).ok());
  CHECK_FALSE(parse_packaged({"--rootlet-bind=/a:/b:rx"}, false).ok());
}

TEST_CASE("the environment sets options, and the command line wins") {
  Options options;
  char net[] = "ROOTLET_NET=host";
  char clean[] = "ROOTLET_CLEAN_ENV=1";
  char off[] = "ROOTLET_VERBOSE=0";
  char bind[] = "ROOTLET_BIND=/weak";
  char* environment[] = {net, clean, off, bind, nullptr};
  REQUIRE(parse_environment(options, environment).ok());
  CHECK(options.network == Network::host);
  auto line = parse_packaged({"--rootlet-net=none", "--rootlet-bind=/strong"}, false, options);
  REQUIRE(line.ok());
  CHECK(line.value().options.network == Network::none);
  CHECK(line.value().options.clean_env == true);
  CHECK_FALSE(line.value().options.verbose);
  REQUIRE(line.value().options.binds.size() == 2);  // the stronger lies over the weaker
  CHECK(line.value().options.binds[1].source == "/strong");
}

TEST_CASE("the environment cannot turn isolation off") {
  Options options;
  char variable[] = "ROOTLET_NO_ISOLATION=1";
  char* environment[] = {variable, nullptr};
  CHECK_FALSE(parse_environment(options, environment).ok());
  CHECK_FALSE(options.no_isolation);
}
