// SPDX-License-Identifier: MIT
#include "runtime/run/authority.hpp"

#include <catch2/catch.hpp>

using namespace rootlet;

namespace {

Options given(const std::vector<std::string>& words) {
  return parse_packaged(words, false).value().options;
}

Policy asking(const std::string& option, const std::string& value) {
  Policy policy;
  policy.isolation = {{option, value}};
  return policy;
}

}  // namespace

TEST_CASE("a policy may narrow") {
  Options options;
  REQUIRE(apply_policy(options, asking("profile", "isolated")).ok());
  CHECK(options.profile == Profile::isolated);
}

TEST_CASE("what a policy asks for beyond its profile is refused with the words to type") {
  const std::pair<const char*, const char*> kWide[] = {
      {"net", "host"},         {"bind", "/etc"},       {"profile", "compat"}, {"seccomp", "none"},
      {"pid", "host"},         {"home", "/home"},      {"pass-env", "AWS_*"}, {"input", "/data"},
      {"ipc", "host"},         {"uts", "host"},        {"output", "/out"},    {"cgroup", "host"},
      {"uid-map", "0 1000 1"}, {"gid-map", "0 1000 1"}};
  for (const auto& [option, value] : kWide) {
    INFO(option);
    Options options;
    auto applied = apply_policy(options, asking(option, value));
    REQUIRE_FALSE(applied.ok());
    CHECK(applied.error().hint.find(std::string("--rootlet-") + option + "=" + value) !=
          std::string::npos);
  }
}

TEST_CASE("options that are never an image's to set are refused in a policy") {
  for (const char* option :
       {"no-isolation", "best-effort", "image", "pass-fd", "keep", "mount", "dry-run"}) {
    INFO(option);
    Options options;
    CHECK_FALSE(apply_policy(options, asking(option, "1")).ok());
    CHECK_FALSE(options.no_isolation);
  }
}

TEST_CASE("what the user said wins over the policy") {
  Options options = given({"--rootlet-net=host"});
  REQUIRE(apply_policy(options, asking("net", "none")).ok());
  CHECK(options.net_host == true);
}

TEST_CASE("what the user said grants the policy's request") {
  Options options = given({"--rootlet-net=host"});
  CHECK(apply_policy(options, asking("net", "host")).ok());
}

TEST_CASE("a locked option cannot be widened") {
  Options options = given({"--rootlet-net=host"});
  Policy policy;
  policy.locked = {"net"};
  auto applied = apply_policy(options, policy);
  REQUIRE_FALSE(applied.ok());
  CHECK(applied.error().reason.find("locked") != std::string::npos);
}

TEST_CASE("a locked option may still be narrowed") {
  Options options = given({"--rootlet-net=none"});
  Policy policy;
  policy.locked = {"net"};
  CHECK(apply_policy(options, policy).ok());
}

TEST_CASE("a wide value inside the compat profile is no request") {
  CHECK_FALSE(widens("net", "host", Profile::compat));
  CHECK(widens("net", "host", Profile::contained));
  CHECK(widens("seccomp", "none", Profile::compat));
}
