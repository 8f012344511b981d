// SPDX-License-Identifier: MIT
#include "launcher/rules/rules.hpp"

#include <catch2/catch.hpp>

using namespace rootlet::rules;

namespace {

Rules sample() {
  Rules rules;
  rules.runs.push_back({"globins", "2026-11-24", "mafft.AppImage", "exit 0", "", {"mafft", "in"}});
  Condition request;
  request.index = 1;
  request.values.push_back({0x5401, "TCGETS"});
  rules.system_calls.push_back({"ioctl", {request}, {}});
  rules.system_calls.push_back({"execve", {}, {{"globins"}, 3}});
  rules.paths.push_back({"$CWD", true, {Access::write, Access::read}, "bind", {}});
  rules.programs.push_back({"/bin/sh", false, {}});
  rules.network.push_back({"connect", "inet", "stream", "127.0.0.1", 80, {}});
  return rules;
}

std::string reason(const std::string& text) {
  auto rules = parse_rules(text, "r.json");
  REQUIRE_FALSE(rules.ok());
  return rules.error().reason;
}

}  // namespace

TEST_CASE("rules that were written are read back as they were") {
  const std::string text = write_rules(sample());
  auto again = parse_rules(text, "r.json");
  REQUIRE(again.ok());
  CHECK(write_rules(again.value()) == text);
  CHECK(text.find("{\"index\":1,\"values\":[\"0x5401 TCGETS\"]}") != std::string::npos);
}

TEST_CASE("the order in which rules were found leaves no trace in the file") {
  Rules turned = sample();
  std::swap(turned.system_calls[0], turned.system_calls[1]);
  CHECK(write_rules(turned) == write_rules(sample()));
}

TEST_CASE("a thing that two runs needed is one line with both") {
  Rules rules = sample();
  rules.system_calls.push_back({"execve", {}, {{"trna"}, 2}});
  rules.paths.push_back({"$CWD", true, {Access::list}, "bind", {}});
  rules.normalise();
  REQUIRE(rules.system_calls.size() == 2);
  CHECK(rules.system_calls[0].evidence.runs == std::vector<std::string>{"globins", "trna"});
  CHECK(rules.system_calls[0].evidence.count == 5);
  REQUIRE(rules.paths.size() == 1);
  CHECK(rules.paths[0].access.size() == 3);
}

TEST_CASE("what is wrong in a file of rules is named with its place") {
  CHECK(reason("[]") == "the file: it must be an object");
  CHECK(reason("{}") == "the file: rootlet_rules is missing: is it a file of rules?");
  CHECK(reason(R"({"rootlet_rules": 2})") == "the file: it is of version 2");
  CHECK(reason(R"({"rootlet_rules": 1, "path": []})") == "the file: unknown key \"path\"");
  CHECK(reason(R"({"rootlet_rules": 1, "paths": [{"path": "etc"}]})") ==
        "paths[0]: path must be absolute, or begin with $CWD, $HOME or $BIND");
  CHECK(reason(R"({"rootlet_rules": 1, "otherwise": {"action": "ask"}})") ==
        "otherwise: action cannot be 'ask'");
  CHECK(reason(R"({"rootlet_rules": 1, "system_calls": [{"name": "ioctl",
        "arguments": [{"index": 1, "values": ["TCGETS"]}]}]})") ==
        "system_calls[0]: 'TCGETS' is no \"NUMBER NAME\"");
}
