// SPDX-License-Identifier: MIT
#include "runtime/policy/policy.hpp"

#include <catch2/catch.hpp>

using namespace rootlet;

namespace {

Policy full() {
  Policy policy;
  policy.name = "tool";
  policy.version = "1.2";
  policy.licence = "MIT";
  policy.url = "https://example.org";
  policy.entrypoint = {"/usr/bin/tool", "", "-x"};
  policy.arguments = {"-h"};
  policy.commands = {{"b", "/b"}, {"a", "/a"}};
  policy.dispatch = "argument";
  policy.workdir = "/w";
  policy.env = {"A=b", "C="};
  policy.selftest = {"/t", "-q"};
  policy.isolation = {{"net", "none"}, {"clean-env", ""}, {"net", "host"}};
  policy.locked = {"net"};
  policy.data = {{"pfam", "/ref", "sha256:0", 1ull << 40, true}};
  policy.own_apprun = true;
  return policy;
}

}  // namespace

TEST_CASE("a policy read back is the policy written, order and empty texts included") {
  const std::string bytes = encode_policy(full());
  const auto read = decode_policy(bytes);
  REQUIRE(read.ok());
  const Policy &got = read.value(), &want = full();
  CHECK(got.entrypoint == want.entrypoint);
  CHECK(got.commands == want.commands);
  CHECK(got.env == want.env);
  CHECK(got.isolation == want.isolation);
  CHECK(got.data[0].size == 1ull << 40);
  CHECK(got.data[0].required);
  CHECK(got.own_apprun);
  CHECK(encode_policy(got) == bytes);
}

TEST_CASE("a policy cut anywhere is refused") {
  const std::string bytes = encode_policy(full());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    INFO(size);
    CHECK_FALSE(decode_policy(bytes.substr(0, size)).ok());
  }
  CHECK_FALSE(decode_policy(bytes + "x").ok());
}

TEST_CASE("a policy with any byte changed is read or refused, never a crash") {
  const std::string bytes = encode_policy(full());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int value = 0; value < 256; value += 5) {
      std::string bad = bytes;
      bad[at] = static_cast<char>(value);
      (void)decode_policy(bad);
    }
  }
}

TEST_CASE("a record of unknown kind is refused unless its writer marked it as skippable") {
  const std::string bytes = encode_policy(full());
  const auto with_record = [&](char flags) {
    std::string out = bytes + std::string{'\x63', '\0', flags, '\0', '\1', '\0', '\0', '\0', 'x'};
    for (int i = 0; i < 4; ++i)
      out[12 + static_cast<std::size_t>(i)] = static_cast<char>((out.size() >> (8 * i)) & 0xff);
    return decode_policy(out);
  };
  CHECK_FALSE(with_record(0).ok());
  CHECK(with_record(1).ok());
}

TEST_CASE("a policy of another version or beyond 1 MiB is refused") {
  std::string bytes = encode_policy(full());
  bytes[8] = 2;
  CHECK_FALSE(decode_policy(bytes).ok());
  Policy large = full();
  large.name = std::string(2 << 20, 'x');
  CHECK_FALSE(decode_policy(encode_policy(large)).ok());
}
