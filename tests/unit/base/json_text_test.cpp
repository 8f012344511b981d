// SPDX-License-Identifier: MIT
#include "runtime/base/json_text.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace rootlet {
namespace {

TEST_CASE("objects and arrays nest, with commas between values alone") {
  JsonText json;
  json.object().text("a", "x").number("b", -7).truth("c", true).null("d");
  json.array("e").text("1").text("2").array().close().close();
  json.object("f").close().close();
  CHECK(json.str() == R"({"a":"x","b":-7,"c":true,"d":null,"e":["1","2",[]],"f":{}})");
}

TEST_CASE("a value that ends in a bracket is followed by a comma all the same") {
  JsonText json;
  json.array().text("[").text("{").close();
  CHECK(json.str() == R"(["[","{"])");
}

TEST_CASE("any bytes become valid JSON, and valid UTF-8 comes back as it was") {
  std::string every;
  for (int c = 0; c < 256; ++c) every += static_cast<char>(c);
  CHECK_NOTHROW(nlohmann::json::parse(json_string(every)));
  const std::string kept =
      "tab\t line\n \"quoted\\\" \x01 \x7f \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80";
  CHECK(nlohmann::json::parse(json_string(kept)).get<std::string>() == kept);
}

TEST_CASE("bytes that are no UTF-8 become U+FFFD") {
  for (const std::string bad :
       {"\xff", "\xc3", "\xe2\x82", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80"}) {
    const auto back = nlohmann::json::parse(json_string("a" + bad + "b")).get<std::string>();
    CHECK(back.starts_with("a\xef\xbf\xbd"));
    CHECK(back.ends_with("b"));
  }
}

}  // namespace
}  // namespace rootlet
