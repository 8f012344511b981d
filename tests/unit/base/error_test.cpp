// SPDX-License-Identifier: MIT
#include "runtime/base/error.hpp"

#include <catch2/catch.hpp>

#include "runtime/base/result.hpp"

using namespace rootlet;

TEST_CASE("an error names the action, the subject and the errno") {
  const Error error{EACCES, "open", "/opt/tool", "", ""};
  CHECK(error.message() == "open: /opt/tool: Permission denied (EACCES)");
}

TEST_CASE("a reason takes the place of the errno's text, not of its name") {
  const Error error{ENOSPC, "create a user namespace", "", "", "the limit is reached"};
  CHECK(error.message() == "create a user namespace: the limit is reached (ENOSPC)");
}

TEST_CASE("an error that no system call reported names no errno") {
  CHECK(plain_error("read the policy", "x.toml", "cut short").message() ==
        "read the policy: x.toml: cut short");
}

namespace {
Result<int> twice(Result<int> number) { return 2 * TRY(std::move(number)); }
}  // namespace

TEST_CASE("TRY hands a value on and an error up") {
  CHECK(twice(21).value() == 42);
  const auto failed = twice(plain_error("count", "", "no fingers"));
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().reason == "no fingers");
}
