// SPDX-License-Identifier: MIT
#include "runtime/os/traces.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <string>

TEST_CASE("a command line that is known is wiped where it lies, and the environment when asked") {
  char memory[] = "rootlet\0run\0A=1\0B=two\0behind";
  char* words[] = {memory, memory + 8, nullptr};
  char* environment[] = {memory + 12, memory + 16, nullptr};
  const auto is_wiped = [&](std::size_t from, std::size_t to) {
    return std::all_of(memory + from, memory + to, [](char c) { return c == 0; });
  };
  rootlet::os::know_command_line(2, words, environment);
  rootlet::os::wipe_command_line(false);
  CHECK(is_wiped(0, 12));
  CHECK(std::string(environment[0]) == "A=1");
  CHECK(std::string(environment[1]) == "B=two");
  rootlet::os::wipe_command_line(true);
  CHECK(is_wiped(0, 22));
  CHECK(std::string(memory + 22) == "behind");
}
