// SPDX-License-Identifier: MIT
#include "runtime/sandbox/id_map.hpp"

#include <catch2/catch.hpp>

using namespace rootlet::sandbox;

namespace {

std::string refusal(const std::string& text) {
  const auto map = parse_id_map("uid-map", text);
  REQUIRE_FALSE(map.ok());
  CHECK(map.error().exit_code == 125);
  CHECK(map.error().hint.find("INSIDE OUTSIDE COUNT") != std::string::npos);
  return map.error().message();
}

}  // namespace

TEST_CASE("an id map is read as nsroot's -M, a comma for each line") {
  const auto map = parse_id_map("uid-map", "0 1000 1,1  100000\t65536");
  REQUIRE(map.ok());
  CHECK(map.value() == "0 1000 1\n1 100000 65536\n");
  CHECK(inside_of(map.value(), 1000) == 0u);
  CHECK(inside_of(map.value(), 100009) == 10u);
  CHECK_FALSE(inside_of(map.value(), 165536).has_value());
  CHECK(has_many(map.value()));
  CHECK_FALSE(has_many("0 1000 1\n"));
  CHECK(has_many("0 1000 2\n"));
}

TEST_CASE("the last id can be mapped, and nothing beyond it") {
  CHECK(parse_id_map("uid-map", "4294967294 0 1").ok());
  CHECK(parse_id_map("uid-map", "0 0 4294967295").ok());
  CHECK(refusal("4294967294 0 2").find("beyond the last id") != std::string::npos);
  CHECK(refusal("0 4294967295 1").find("beyond the last id") != std::string::npos);
  CHECK(refusal("4294967296 0 1").find("not three numbers") != std::string::npos);
  CHECK(refusal("99999999999999999999999 0 1").find("not three numbers") != std::string::npos);
}

TEST_CASE("a map that the kernel would refuse is refused by name") {
  for (const char* text : {"", "0", "0 1", "0 1 1 1", "-1 0 1", "a b c", "0 1 1,", ",0 1 1"}) {
    INFO(text);
    CHECK(refusal(text).find("not three numbers") != std::string::npos);
  }
  CHECK(refusal("0 1000 0").find("--rootlet-uid-map=0 1000 0: it holds no id") !=
        std::string::npos);
  CHECK(refusal("0 1000 10,9 2000 1").find("9 2000 1: its ids inside overlap") !=
        std::string::npos);
  CHECK(refusal("0 1000 10,20 1009 1").find("its ids outside overlap") != std::string::npos);
}

TEST_CASE("340 ranges are a map, 341 are not, and neither is more than a page") {
  std::string text = "0 0 1";
  for (int i = 1; i < 340; ++i) text += "," + std::to_string(i) + " " + std::to_string(i) + " 1";
  CHECK(parse_id_map("uid-map", text).ok());
  CHECK(refusal(text + ",900 900 1").find("more than the kernel takes") != std::string::npos);
  std::string wide = "1000000000 1000000000 1";
  for (int i = 1; i < 300; ++i) {
    const std::string id = std::to_string(1000000000 + i);
    wide += "," + id + " " + id + " 1";
  }
  CHECK(refusal(wide).find("more than the kernel takes") != std::string::npos);
}
