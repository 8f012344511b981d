// SPDX-License-Identifier: MIT
#include "runtime/image/walkers.hpp"

#include <catch2/catch.hpp>

using rootlet::image::Walkers;

namespace {

constexpr std::uint64_t kTop = 1, kFirst = 100;
constexpr std::size_t kSmall = 300, kBig = 30000;  // bytes

// Lists so many directories of ten files, as a walker does who asks for so many of each.
std::size_t walk(Walkers& walkers, std::uint64_t from, std::size_t directories, int asks) {
  std::size_t with_attributes = 0;
  for (std::uint64_t node = from; node < from + directories; ++node) {
    if (walkers.want_all(node, kSmall)) {
      ++with_attributes;
      continue;
    }
    walkers.listed(node, 10);
    for (int i = 0; i < asks; ++i) {
      if (walkers.asked(node)) break;
    }
  }
  return with_attributes;
}

}  // namespace

TEST_CASE(
    "who asks for every file gets attributes with the names, after the first two directories") {
  Walkers walkers;
  REQUIRE(walk(walkers, kFirst, 50, 10) >= 48);
  REQUIRE(walkers.want_all(kFirst, kBig));
}

TEST_CASE("who wants names alone gets them, of big directories too once that is known") {
  Walkers walkers;
  REQUIRE(walkers.want_all(kFirst, kBig));
  REQUIRE(walk(walkers, kFirst, 50, 0) == 0);
  REQUIRE_FALSE(walkers.want_all(kFirst, kBig));
  REQUIRE(walkers.want_all(kTop, kBig));
}

TEST_CASE(
    "a program that asks for a file here and there does not count as a walker that asks for all") {
  Walkers walkers;
  REQUIRE(walk(walkers, kFirst, 10, 1) == 0);
  REQUIRE(walkers.take_listings().empty());
}

TEST_CASE("what was listed by name alone is named once when walkers begin to ask") {
  Walkers walkers;
  REQUIRE(walk(walkers, kFirst, 100, 0) == 0);
  // The next walk begins where the first one did.
  bool settled = false;
  for (std::uint64_t i = 0; i < 100 && !settled; ++i) settled = walkers.asked(kFirst + i / 10);
  REQUIRE(settled);
  REQUIRE(walkers.take_listings().size() == 100);
  REQUIRE(walkers.take_listings().empty());
  REQUIRE_FALSE(walkers.asked(kFirst));
  REQUIRE(walkers.want_all(kFirst, kSmall));
}

TEST_CASE("a question about a directory that was never listed says nothing") {
  Walkers walkers;
  walkers.listed(kFirst, 10);
  for (int i = 0; i < 100; ++i) REQUIRE_FALSE(walkers.asked(kFirst + 1));
}

TEST_CASE("when it was quiet for a while it begins anew") {
  Walkers walkers;
  REQUIRE(walk(walkers, kFirst, 50, 10) > 0);
  walkers.forget();
  REQUIRE_FALSE(walkers.want_all(kFirst, kSmall));
}

TEST_CASE("what the kernel keeps by name alone is still known after a quiet while") {
  Walkers walkers;
  REQUIRE(walk(walkers, kFirst, 20000, 0) == 0);
  walkers.forget();
  bool settled = false;
  for (std::uint64_t i = 0; i < 100 && !settled; ++i) settled = walkers.asked(kFirst + i);
  REQUIRE(settled);
  REQUIRE(walkers.take_listings().size() == 20000);
}
