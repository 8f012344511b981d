// SPDX-License-Identifier: MIT
#include "packaging/policy_file.hpp"

#include <catch2/catch.hpp>

using namespace rootlet;
using namespace rootlet::packaging;
using Catch::Matchers::Contains;

namespace {

std::string fault(const std::string& text) {
  const auto policy = parse_policy(text, "rootlet.toml");
  return policy.ok() ? "" : policy.error().message() + " | " + policy.error().hint;
}

}  // namespace

TEST_CASE("a whole rootlet.toml becomes the policy it says") {
  const auto read = parse_policy(R"([tool]
name = "hmmer"
version = "3.3"
entrypoint = ["/usr/bin/hmmsearch", "--cpu"]
arguments = ["-h"]
commands = {z = "/usr/bin/z", a = "/usr/bin/a"}
dispatch = "argument"
workdir = "/data"
env = {LANG = "C"}
selftest = ["/usr/bin/hmmsearch", "-h"]
licence = "BSD-3-Clause"
url = "https://example.org"
[isolation]
writable = ["/var/a", "/var/b"]
net = "none"
clean-env = true
nv = false
locked = ["net"]
[data]
pfam = {path = "/ref/pfam", digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000", size = 7, required = true}
)",
                                 "rootlet.toml");
  REQUIRE(read.ok());
  const Policy& policy = read.value();
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  CHECK(policy.entrypoint == std::vector<std::string>{"/usr/bin/hmmsearch", "--cpu"});
  CHECK(policy.commands == Pairs{{"z", "/usr/bin/z"}, {"a", "/usr/bin/a"}});
  CHECK(policy.env == std::vector<std::string>{"LANG=C"});
  CHECK(policy.isolation ==
        Pairs{{"writable", "/var/a"}, {"writable", "/var/b"}, {"net", "none"}, {"clean-env", ""}});
  CHECK(policy.locked == std::vector<std::string>{"net"});
  REQUIRE(policy.data.size() == 1);
  CHECK(policy.data[0].path == "/ref/pfam");
  CHECK(policy.data[0].required);
  CHECK(policy.workdir == "/data");
}

TEST_CASE("what the stub would refuse at every run is refused when the policy is read") {
  CHECK_THAT(fault("[isolation]\nnet = \"hots\"\n"),
             Contains("rootlet.toml:2") && Contains("'hots' is not valid"));
  CHECK_THAT(fault("[isolation]\nrules = \"/nowhere\"\n"), Contains(":2: \"rules\": "));
}

TEST_CASE("an unknown key is named with its line and what was perhaps meant") {
  CHECK(fault("[tool]\nname = \"x\"\nentrypiont = [\"/x\"]\n") ==
        "read the policy: rootlet.toml:3: unknown key \"entrypiont\" in [tool] | did you mean "
        "\"entrypoint\"?");
  CHECK_THAT(fault("[isolation]\nseccmp = \"none\"\n"),
             Contains("rootlet.toml:2") && Contains("did you mean \"seccomp\"?"));
  CHECK_THAT(fault("[tols]\n"), Contains("unknown key \"tols\"") && Contains("\"tool\""));
}

TEST_CASE("a value of a wrong type is named with its line") {
  CHECK_THAT(fault("[tool]\nname = 1\n"), Contains(":2: \"name\" must be a string"));
  CHECK_THAT(fault("[tool]\nentrypoint = \"/x\"\n"),
             Contains(":2: \"entrypoint\" must be an array"));
  CHECK_THAT(fault("[tool]\nentrypoint = []\n"), Contains("is empty"));
  CHECK_THAT(fault("[tool]\ncommands = [\"/x\"]\n"), Contains("must be a table"));
  CHECK_THAT(fault("[tool]\ncommands = {x = \"usr/x\"}\n"), Contains("absolute path"));
  CHECK_THAT(fault("[tool]\ndispatch = \"name\"\n"), Contains("only be \"argument\""));
  CHECK_THAT(fault("[tool]\nenv = [\"=x\"]\n"), Contains("not KEY=VALUE"));
  CHECK_THAT(fault("[isolation]\nfake-root = \"yes\"\n"), Contains("must be true or false"));
  CHECK_THAT(fault("[isolation]\nnet = true\n"), Contains("must be a string"));
  CHECK_THAT(fault("[isolation]\nlocked = [\"nett\"]\n"), Contains("did you mean \"net\"?"));
  CHECK_THAT(fault("[data]\nx = {digest = \"y\"}\n"), Contains("lacks its path"));
  CHECK_THAT(fault("[data]\nx = {path = \"/y\", digest = \"sha256:00\"}\n"),
             Contains("lacks a digest"));
  CHECK_THAT(fault("[data]\nx = {path = \"/y\", size = -1}\n"), Contains("number of bytes"));
}

TEST_CASE("what belongs to the caller alone is refused in a policy") {
  for (const char* key : {"no-isolation", "best-effort", "image", "pass-fd", "status-fd", "keep",
                          "die-with-parent", "mount", "dry-run"}) {
    CHECK_THAT(fault("[isolation]\n" + std::string(key) + " = true\n"),
               Contains("never read from an image"));
  }
}

TEST_CASE("a syntax error is named with its line") {
  CHECK_THAT(fault("[tool]\nname = \n"), Contains("rootlet.toml:2"));
}

TEST_CASE("a policy written as TOML reads back as the same") {
  Policy policy;
  policy.name = "a \"quoted\" \\ name";
  policy.version = "1";
  policy.entrypoint = {"/bin/x", "two words"};
  const auto read = parse_policy(policy_to_toml(policy), "t");
  REQUIRE(read.ok());
  CHECK(read.value().name == policy.name);
  CHECK(read.value().entrypoint == policy.entrypoint);
}

TEST_CASE("a suggestion is near, or there is none") {
  CHECK(suggest("entry-point", {"entrypoint", "env"}) == "entrypoint");
  CHECK(suggest("xyzzy", {"entrypoint", "env"}).empty());
}
