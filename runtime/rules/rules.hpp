// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"

namespace rootlet {

// What a run enforces of a file of rules (docs/rules.md). Where an entry came
// from is for people, and skipped here.
struct Rules {
  enum class Action : std::uint8_t {
    deny,
    kill,
    log
  };
  // (argument & mask) is one of the values; of the argument its low 32 bits.
  struct Condition {
    std::uint32_t index = 0, mask = 0xffffffff;
    std::vector<std::uint32_t> values;
  };
  // Allowed where all conditions hold. Several of one number: where one of them is.
  struct Call {
    std::uint32_t number = 0;
    std::vector<Condition> conditions;
  };
  // Kinds of access, as bits.
  enum Access : std::uint32_t {
    create = 1,
    remove = 2,
    list = 4,
    metadata = 8,
    read = 16,
    write = 32,
    execute = 64,
  };
  struct Path {
    std::string path;
    bool below = false;
    std::uint32_t access = 0;
  };
  struct Port {
    bool binds = false;
    std::uint16_t number = 0;
  };

  std::string name;  // the file, or whose they are: for messages
  std::string text;  // as it was read
  Action action = Action::deny;
  std::uint32_t error = 1;  // EPERM
  std::vector<Call> calls;
  std::vector<Path> paths;
  std::vector<Port> ports;     // of TCP
  bool addresses = false;      // an address is named, which nothing holds
  bool other_network = false;  // ports of UDP, or paths of sockets, which nothing holds
};

// Bounded: 1 MiB, and what every level of it may hold. Whatever it does not know
// is an error: a rule that is not understood is not skipped. The first error is
// told with its line.
inline constexpr std::size_t kLongestRules = 1u << 20;
Result<Rules> parse_rules(std::string_view text, const std::string& name);
Result<Rules> read_rules(const std::string& file);

std::string_view access_name(Rules::Access access);

}  // namespace rootlet
