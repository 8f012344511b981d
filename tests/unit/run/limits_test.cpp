// SPDX-License-Identifier: MIT
#include "runtime/run/limits.hpp"

#include <catch2/catch.hpp>

#include "runtime/run/authority.hpp"

namespace rootlet {
namespace {

std::string as_read(std::string_view name, const std::string& value) {
  Limits limits;
  return lower_limit(limits, name, value).ok() ? limit_text(limits, name).value_or("") : "refused";
}

TEST_CASE("limits are read as people write them") {
  CHECK(as_read("memory", "65536k") == "memory=64m");
  CHECK(as_read("memory", "1.5G") == "memory=1536m");
  CHECK(as_read("memory", "1023t") == "memory=1023t");
  CHECK(as_read("cpus", "0.25") == "cpus=0.25");
  CHECK(as_read("pids", "100") == "pids=100");
  CHECK(as_read("timeout", "0.5") == "timeout=0.5");
  CHECK(as_read("timeout", "2h") == "timeout=7200");
}

TEST_CASE("what is no limit is refused") {
  for (const char* name : {"memory", "cpus", "pids", "file-size", "timeout"}) {
    for (const char* value : {"", "0", "0.000", "-1", "+1", "1e3", "1..2", "1.", ".1", "1kk", " 1",
                              "1.2345", "18446744073709551617", "9999999999t"}) {
      CHECK(as_read(name, value) == "refused");
    }
  }
  CHECK(as_read("pids", "1.5") == "refused");
  CHECK(as_read("memory", "0.3k") == "refused");
}

TEST_CASE("of several values the least counts") {
  Limits limits;
  REQUIRE(lower_limit(limits, "memory", "2g").ok());
  REQUIRE(lower_limit(limits, "memory", "1g").ok());
  REQUIRE(lower_limit(limits, "memory", "3g").ok());
  CHECK(limit_text(limits, "memory") == "memory=1g");
}

TEST_CASE("an image's policy may lower a limit and never raise one") {
  Policy policy;
  policy.isolation = {{"memory", "1g"}, {"pids", "100"}};
  Options options;
  REQUIRE(set_option(options, "memory", "2g", Origin::command_line).ok());
  REQUIRE(set_option(options, "pids", "10", Origin::command_line).ok());
  REQUIRE(apply_policy(options, policy).ok());
  CHECK(limit_text(options.limits, "memory") == "memory=1g");
  CHECK(limit_text(options.limits, "pids") == "pids=10");
}

}  // namespace
}  // namespace rootlet
