// SPDX-License-Identifier: MIT
#include "runtime/run/authority.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "launcher/configuration.hpp"
#include "runtime/run/power.hpp"

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
      {"net", "host"},         {"bind", "/etc"},        {"profile", "compat"}, {"seccomp", "none"},
      {"pid", "host"},         {"home", "/home"},       {"pass-env", "AWS_*"}, {"input", "/data"},
      {"ipc", "host"},         {"uts", "host"},         {"output", "/out"},    {"cgroup", "host"},
      {"uid-map", "0 1000 1"}, {"gid-map", "0 1000 1"}, {"attach", "/x:/y"}};
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
  CHECK(options.network == Network::host);
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

TEST_CASE("every option is judged") {
  for (const OptionRow& row : option_table()) {
    INFO(row.name << ": add it to runtime/run/power.cpp");
    CHECK(power_of(row.name).kind != Power::Kind::unknown);
    // Of an image's rules the content is taken, never a name.
    if (power_of(row.name).kind == Power::Kind::narrows) continue;
    CHECK((power_of(row.name).kind == Power::Kind::callers) == row.not_from_policy);
  }
}

TEST_CASE("no value of any option lets an image widen a run unasked") {
  // What each option could say at its widest; harmless ones give nothing.
  const std::pair<const char*, const char*> kWidest[] = {
      {"profile", "compat"},  {"bind", "/etc"},
      {"input", "/etc"},      {"output", "/etc"},
      {"bind-args", "rw"},    {"overlay", "/data"},
      {"tmp", "90%"},         {"net", "host"},
      {"veth", "eth7"},       {"ipc", "host"},
      {"pid", "host"},        {"uts", "host"},
      {"cgroup", "host"},     {"uid-map", "0 0 9"},
      {"gid-map", "0 0 9"},   {"fake-root", ""},
      {"home", "/home"},      {"env-file", "/etc"},
      {"pass-env", "*"},      {"seccomp", "none"},
      {"attach", "/x:/y"},    {"data-path", "/etc"},
      {"record", "/etc/new"}, {"nv", ""},
      {"rocm", ""},           {"gui", ""}};
  const std::string_view kGivesNothing[] = {
      "writable",  "user-namespaces", "time",   "hostname", "cwd",  "env",
      "exec",      "clean-env",       "rules",  "memory",   "cpus", "pids",
      "file-size", "timeout",         "verbose"};
  for (const OptionRow& row : option_table()) {
    INFO(row.name << ": say here what it could give");
    if (row.not_from_policy ||
        std::count(std::begin(kGivesNothing), std::end(kGivesNothing), row.name)) {
      continue;
    }
    const auto widest = std::find_if(std::begin(kWidest), std::end(kWidest),
                                     [&](const auto& pair) { return pair.first == row.name; });
    REQUIRE(widest != std::end(kWidest));
    Options options;
    auto applied = apply_policy(options, asking(widest->first, widest->second));
    REQUIRE_FALSE(applied.ok());
    CHECK(applied.error().hint.find("--rootlet-" + std::string(row.name)) != std::string::npos);
    CHECK(options.given.empty());
  }
}

TEST_CASE("words and amounts are compared from the strict to the wide") {
  const Power net = power_of("net");
  CHECK(wider(net, "private", "none"));
  CHECK(wider(net, "host", "private"));
  CHECK_FALSE(wider(net, "none", "private"));
  const Power memory = power_of("memory");
  CHECK(wider(memory, "3g", "2048m"));
  CHECK_FALSE(wider(memory, "2g", "2048m"));
  CHECK_FALSE(wider(memory, "64t", ""));  // no bound
  CHECK(wider(power_of("cpus"), "1.6", "1.5"));
  CHECK(wider(power_of("tmp"), "/scratch", "25%"));
  CHECK_FALSE(wider(power_of("overlay"), "tmpfs:1g", "tmpfs"));
  CHECK(wider(power_of("overlay"), "/data/layer", "tmpfs"));
}

TEST_CASE("variables of the user win over those of the image") {
  Options options = given({"--rootlet-env=A=user"});
  REQUIRE(apply_policy(options, asking("env", "A=image")).ok());
  CHECK(options.env == std::vector<std::string>{"A=image", "A=user"});
}

namespace {

Status take(Options& options, const std::string& text, Origin origin) {
  auto content = parse_configuration("[isolation]\n" + text, "/etc/rootlet/config.toml");
  REQUIRE(content.ok());
  return apply_configuration(options, content.value(), "/etc/rootlet/config.toml", origin);
}

Options by_site(const std::string& text) {
  Options options;
  REQUIRE(take(options, text, Origin::site_file).ok());
  return options;
}

}  // namespace

TEST_CASE("a default of the site gives way to what is typed, a lock does not") {
  auto line = parse_packaged({"--rootlet-net=host"}, false, by_site("net = \"none\""));
  REQUIRE(line.ok());
  CHECK(obey_locks(line.value().options).ok());
  CHECK(line.value().options.network == Network::host);
  line =
      parse_packaged({"--rootlet-net=host"}, false, by_site("net = \"none\"\nlocked = [\"net\"]"));
  REQUIRE(line.ok());
  auto obeyed = obey_locks(line.value().options);
  REQUIRE_FALSE(obeyed.ok());
  CHECK(obeyed.error().message().find("/etc/rootlet/config.toml has locked it") !=
        std::string::npos);
}

TEST_CASE("what is locked may be narrowed, and no profile gives it back") {
  const std::string lock = "memory = \"4g\"\nlocked = [\"net\", \"memory\", \"bind\"]";
  auto narrow = parse_packaged({"--rootlet-profile=compat"}, false, by_site("locked = [\"net\"]"));
  REQUIRE(narrow.ok());
  REQUIRE(obey_locks(narrow.value().options).ok());
  CHECK(narrow.value().options.network == Network::none);
  for (const char* word : {"--rootlet-bind=/data", "--rootlet-mount=type=bind,src=/a,dst=/b",
                           "--rootlet-no-isolation", "--rootlet-best-effort"}) {
    INFO(word);
    auto line = parse_packaged({word}, false, by_site("locked = [\"bind\"]"));
    REQUIRE(line.ok());
    CHECK_FALSE(obey_locks(line.value().options).ok());
  }
}

TEST_CASE("an image may narrow what a file says, not what is typed") {
  Options options = by_site("profile = \"contained\"");
  REQUIRE(apply_policy(options, asking("profile", "isolated")).ok());
  CHECK(options.profile == Profile::isolated);
  options = by_site("profile = \"isolated\"");
  REQUIRE(apply_policy(options, asking("profile", "contained")).ok());
  CHECK(options.profile == Profile::isolated);
}

TEST_CASE("a file may say nothing about one run, and only the site may lock") {
  for (const char* text : {"no-isolation = true", "best-effort = true", "image = \"/x\"",
                           "pass-fd = 3", "dry-run = true", "shell = true"}) {
    INFO(text);
    Options options;
    CHECK_FALSE(take(options, text, Origin::site_file).ok());
    CHECK_FALSE(take(options, text, Origin::user_file).ok());
  }
  Options options;
  CHECK_FALSE(take(options, "locked = [\"net\"]", Origin::user_file).ok());
  CHECK_FALSE(take(options, "locked = [\"nte\"]", Origin::site_file).ok());
}

TEST_CASE("a wide value inside the compat profile is no request") {
  CHECK_FALSE(widens("net", "host", Profile::compat));
  CHECK(widens("net", "host", Profile::contained));
  CHECK(widens("seccomp", "none", Profile::compat));
}
