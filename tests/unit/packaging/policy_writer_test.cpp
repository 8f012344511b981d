// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "packaging/policy_file.hpp"

using namespace rootlet;
using namespace rootlet::packaging;

TEST_CASE("a policy written as rootlet.toml is read back as it was") {
  Policy policy;
  policy.name = "a \"tool\"";
  policy.version = "1.0";
  policy.licence = "MIT";
  policy.url = "http://example.org";
  policy.entrypoint = {"/usr/bin/tool", "--fast"};
  policy.arguments = {"-h", ""};
  policy.commands = {{"a.b", "/usr/bin/a.b"}, {"z", "/usr/bin/z"}};
  policy.workdir = "/data";
  policy.env = {"PATH=/opt/bin:/bin", "EMPTY="};
  policy.selftest = {"tool", "--selftest"};
  policy.isolation = {{"profile", "isolated"}, {"writable", "/a"}, {"writable", "/b"}};
  policy.locked = {"net"};
  policy.data = {{"pfam", "/ref", "sha256:" + std::string(64, '0'), 7, true}};
  const auto again = parse_policy(policy_to_toml(policy), "again");
  REQUIRE(again.ok());
  CHECK(encode_policy(again.value()) == encode_policy(policy));
}

TEST_CASE("what a source says fills only what the policy file leaves open") {
  Policy source;
  source.name = "image";
  source.entrypoint = {"/entry"};
  source.arguments = {"--default"};
  source.env = {"PATH=/opt/bin", "A=source"};
  source.isolation = {{"writable", "/data"}, {"net", "none"}};
  Policy given;
  given.entrypoint = {"/mine"};
  given.env = {"A=mine"};
  given.isolation = {{"net", "private"}};
  const Policy both = with_blanks_filled(given, source);
  CHECK(both.name == "image");
  CHECK(both.entrypoint == std::vector<std::string>{"/mine"});
  CHECK(both.arguments.empty());  // those of another entry
  CHECK(both.env == std::vector<std::string>{"PATH=/opt/bin", "A=mine"});
  CHECK(both.isolation == decltype(both.isolation){{"net", "private"}, {"writable", "/data"}});
}
