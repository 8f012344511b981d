// SPDX-License-Identifier: MIT
#include "runtime/rules/rules.hpp"

#include <catch2/catch.hpp>
#include <random>

#include "launcher/rules/rules.hpp"
#include "runtime/rules/call_names.hpp"

using rootlet::parse_rules;
using rootlet::Rules;

namespace {

std::string trouble(const std::string& text) {
  auto rules = parse_rules(text, "r.json");
  REQUIRE_FALSE(rules.ok());
  return rules.error().reason;
}

std::string with(const std::string& rest) { return "{\"rootlet_rules\": 1, " + rest + "}"; }

}  // namespace

TEST_CASE("a run reads what the command writes") {
  rootlet::rules::Rules written;
  written.action = rootlet::rules::Action::kill;
  rootlet::rules::Condition request;
  request.index = 1;
  request.mask = {0xff, "LOW"};
  request.values.push_back({0x5401, "TCGETS"});
  written.system_calls.push_back({"ioctl", {request}, {{"one"}, 7}});
  using rootlet::rules::Access;
  written.paths.push_back(
      {"/tmp/\"\\\n\u00e4", true, {Access::remove, Access::read}, "scratch", {}});
  written.programs.push_back({"/bin/sh", false, {}});
  written.network.push_back({"connect", "inet", "stream", "10.0.0.1", 443, {}});
  auto read = parse_rules(write_rules(written), "r.json");
  REQUIRE(read.ok());
  const Rules& rules = read.value();
  CHECK(rules.action == Rules::Action::kill);
  REQUIRE(rules.calls.size() == 1);
  CHECK(rules.calls[0].number == rootlet::call_number("ioctl"));
  REQUIRE(rules.calls[0].conditions.size() == 1);
  CHECK(rules.calls[0].conditions[0].index == 1);
  CHECK(rules.calls[0].conditions[0].mask == 0xff);
  CHECK(rules.calls[0].conditions[0].values == std::vector<std::uint32_t>{0x5401});
  REQUIRE(rules.paths.size() == 2);
  CHECK(rules.paths[0].path == "/tmp/\"\\\n\u00e4");
  CHECK(rules.paths[0].below);
  CHECK(rules.paths[0].access == (Rules::remove | Rules::read));
  CHECK(rules.paths[1].access == Rules::execute);
  REQUIRE(rules.ports.size() == 1);
  CHECK(rules.ports[0].number == 443);
  CHECK(rules.addresses);
}

TEST_CASE("rules that a run does not understand whole are refused, with the line") {
  CHECK(trouble("") == "line 1: missing: {");
  CHECK(trouble("{}") == "line 1: rootlet_rules is missing: is it a file of rules?");
  CHECK(trouble("{\"rootlet_rules\": 2}") == "line 1: rules of another version");
  CHECK(trouble(with("\n\"denied\": []")) == "line 2: unknown: denied");
  CHECK(trouble(with("\"machine\": \"sparc\"")) == "line 1: rules for another machine");
  CHECK(trouble(with("\"system_calls\": [{\"name\": \"opnat\"}]")) ==
        "line 1: no such system call: opnat");
  CHECK(trouble(with("\"system_calls\": [{\"name\": \"-\"}]")) == "line 1: no such system call: -");
  CHECK(trouble(with("\"system_calls\": [{\"arguments\": []}]")) == "line 1: name is missing");
  CHECK(trouble(with("\"paths\": [{\"path\": \"etc\"}]")) ==
        "line 1: a path is absolute, or begins with $CWD, $HOME or $BIND");
  CHECK(trouble(with("\"paths\": [{\"path\": \"/x\", \"access\": [\"all\"]}]")) ==
        "line 1: unknown: all");
  CHECK(trouble(with("\"otherwise\": {\"action\": \"ask\"}")) == "line 1: unknown: ask");
  CHECK(trouble(with("\"runs\": [1") + "]") != "");
  CHECK(trouble(std::string("{\"rootlet_rules\": 1, \"about\": ") + std::string(100, '[')) ==
        "line 1: it is nested too deeply");
  CHECK(trouble(with("\"about\": \"" + std::string(5000, 'a') + "\"")) ==
        "line 1: a text is too long");
  CHECK(trouble(std::string((1u << 20) + 1, ' ')) == "it is longer than 1 MiB");
}

TEST_CASE("a file of rules that is cut anywhere is refused") {
  const std::string whole = with(
      "\"system_calls\": [{\"name\": \"ioctl\", \"arguments\": [{\"index\": 1, \"values\": "
      "[\"0x5401 TCGETS\"]}]}], \"paths\": [{\"path\": \"/\\u00e4\", \"below\": true, \"access\": "
      "[\"read\"]}], \"network\": [{\"direction\": \"bind\", \"port\": 80}]");
  REQUIRE(parse_rules(whole, "r").ok());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK_FALSE(parse_rules(whole.substr(0, size), "r").ok());
  }
}

TEST_CASE("damaged rules are read within their bounds, or refused") {
  const std::string whole = with(
      "\"otherwise\": {\"action\": \"deny\", \"errno\": \"1 EPERM\"}, \"system_calls\": "
      "[{\"name\": \"mmap\", \"arguments\": [{\"index\": 2, \"mask\": \"0x4\", \"values\": "
      "[\"0x0\"]}]}], \"programs\": [{\"path\": \"/bin/sh\", \"runs\": [\"a\"], \"count\": 3}]");
  REQUIRE(parse_rules(whole, "r").ok());
  std::mt19937 random(1);
  std::size_t read = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = whole;
    for (int change = 0; change < 1 + round % 4; ++change) {
      const std::size_t at = random() % damaged.size();
      switch (random() % 3) {
        case 0: damaged[at] = static_cast<char>(random()); break;
        case 1: damaged.erase(at, random() % 8); break;
        default: damaged.insert(at, damaged.substr(random() % damaged.size(), random() % 16));
      }
    }
    auto rules = parse_rules(damaged, "r");
    if (!rules.ok()) continue;
    ++read;
    // Whatever it says now is within what a filter is made of.
    for (const Rules::Call& call : rules.value().calls) {
      CHECK(call.number < rootlet::kCallsEnd);
      for (const Rules::Condition& condition : call.conditions) CHECK(condition.index < 6);
    }
  }
  CHECK(read < 20000);
}
