// SPDX-License-Identifier: MIT
#include "runtime/run/environment.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace rootlet;

namespace {

Caller caller_with(std::vector<std::string> env) {
  Caller caller;
  caller.home = "/home/u";
  caller.env = std::move(env);
  return caller;
}

std::vector<std::string> inside(const Caller& caller, Profile profile, const Options& options = {},
                                const Policy& policy = {}) {
  return tool_environment(caller, options, policy, profile,
                          [](const std::string& path) { return path == "/shown"; });
}

bool has(const std::vector<std::string>& env, const std::string& entry) {
  return std::find(env.begin(), env.end(), entry) != env.end();
}
bool has_name(const std::vector<std::string>& env, const std::string& name) {
  return std::any_of(env.begin(), env.end(),
                     [&](const std::string& entry) { return entry.starts_with(name + "="); });
}

}  // namespace

TEST_CASE("the host's loader and interpreter paths do not reach a contained tool") {
  for (const char* name : {"LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "PERL5LIB",
                           "R_LIBS", "R_LIBS_USER", "JAVA_TOOL_OPTIONS", "BASH_ENV",
                           "BASH_FUNC_ml%%", "GLIBC_TUNABLES", "ROOTLET_NET"}) {
    INFO(name);
    CHECK_FALSE(
        has_name(inside(caller_with({std::string(name) + "=x"}), Profile::contained), name));
  }
}

TEST_CASE("other variables reach a contained tool, and not an isolated one") {
  const Caller caller = caller_with({"SLURM_JOB_ID=7", "LC_ALL=C", "TERM=xterm"});
  CHECK(has(inside(caller, Profile::contained), "SLURM_JOB_ID=7"));
  const auto isolated = inside(caller, Profile::isolated);
  CHECK_FALSE(has_name(isolated, "SLURM_JOB_ID"));
  CHECK(has(isolated, "LC_ALL=C"));
  CHECK(has(isolated, "TERM=xterm"));
  CHECK(has(isolated, "HOME=/home/u"));
}

TEST_CASE("PATH names directories of the image, whatever the host's is") {
  const auto env = inside(caller_with({"PATH=/run/current-system/sw/bin"}), Profile::contained);
  CHECK(has(env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
}

TEST_CASE("TMPDIR is kept where it is shown and becomes /tmp where it is not") {
  CHECK(has(inside(caller_with({"TMPDIR=/shown"}), Profile::contained), "TMPDIR=/shown"));
  CHECK(has(inside(caller_with({"TMPDIR=/scratch"}), Profile::contained), "TMPDIR=/tmp"));
  CHECK_FALSE(has_name(inside(caller_with({"TMPDIR=/shown"}), Profile::isolated), "TMPDIR"));
}

TEST_CASE("the user's variables win over the policy's, and both over the caller's") {
  Options options;
  options.env = {"A=user"};
  Policy policy;
  policy.env = {"A=image", "B=image"};
  const auto env =
      inside(caller_with({"A=caller", "B=caller"}), Profile::contained, options, policy);
  CHECK(has(env, "A=user"));
  CHECK(has(env, "B=image"));
  CHECK(std::count_if(env.begin(), env.end(),
                      [](const std::string& entry) { return entry.starts_with("A="); }) == 1);
}

TEST_CASE("a variable that was asked for passes") {
  Options options;
  options.pass_env = {"PYTHON*"};
  CHECK(has(inside(caller_with({"PYTHONPATH=/x"}), Profile::isolated, options), "PYTHONPATH=/x"));
}

TEST_CASE("a glob matches as a shell's star does") {
  CHECK(glob_matches("SLURM_*", "SLURM_JOB_ID"));
  CHECK(glob_matches("*_ID", "SLURM_JOB_ID"));
  CHECK(glob_matches("a*b*c", "axxbyyc"));
  CHECK_FALSE(glob_matches("a*b*c", "axxbyy"));
  CHECK_FALSE(glob_matches("HOME", "HOMEX"));
}
