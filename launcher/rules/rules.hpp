// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"

// A file of rules, whole: what a tool may do, and where each line came from.
// docs/rules.md describes it, docs/rules.schema.json defines it. A run reads the
// part that it enforces with a reader of its own, runtime/rules/.
namespace rootlet::rules {

inline constexpr int kVersion = 1;

// Where an entry came from: the runs that needed it, and how often all together.
struct Evidence {
  std::vector<std::string> runs;
  std::uint64_t count = 0;

  void add(const Evidence& other);
};

// A number that the kernel compares, and its name for people: "0x5401 TCGETS".
struct Value {
  std::uint32_t number = 0;
  std::string name;

  std::string text() const;
  static std::optional<Value> from(std::string_view text);
  // The number decides.
  auto operator<=>(const Value& other) const { return number <=> other.number; }
  bool operator==(const Value& other) const { return number == other.number; }
};

// (argument & mask) is one of the values; of the argument its low 32 bits.
struct Condition {
  unsigned index = 0;  // 0 to 5
  Value mask{0xffffffff, ""};
  std::vector<Value> values;

  auto operator<=>(const Condition&) const = default;
};

// Allowed where all conditions hold. Several of one name: where one of them is.
struct SystemCall {
  std::string name;
  std::vector<Condition> arguments;
  Evidence evidence;
};

enum class Access {
  create,
  remove,  // "delete" in the file
  list,
  metadata,
  read,
  write
};
std::string_view name_of(Access access);
std::optional<Access> access_of(std::string_view name);

// A file, or with `below` a directory and all that is in it. The path is
// absolute inside, or begins with $CWD, $HOME or $BIND.
struct Path {
  std::string path;
  bool below = false;
  std::set<Access> access;
  std::string where;  // image, bind, scratch, system, elsewhere; may be empty
  Evidence evidence;
};

// What is executed: the program, and what the kernel opens to start it.
struct Program {
  std::string path;
  bool below = false;
  Evidence evidence;
};

struct Network {
  std::string direction;  // connect, bind
  std::string family;     // inet, inet6, unix, netlink
  std::string type;       // stream, dgram, seqpacket, raw
  std::string address;    // of unix a path, or @NAME
  std::optional<std::uint16_t> port;
  Evidence evidence;
};

// A run that the rules came from.
struct Run {
  std::string name, date, image, end, note;
  std::vector<std::string> command;
};

enum class Action {
  deny,  // with an errno
  kill,  // the whole run ends
  log    // everything is allowed, and told
};

struct Rules {
  std::string machine = "x86_64";
  std::string about;
  Action action = Action::deny;
  Value error{1, "EPERM"};  // of deny
  std::vector<Run> runs;
  std::vector<SystemCall> system_calls;
  std::vector<Path> paths;
  std::vector<Program> programs;
  std::vector<Network> network;

  // Sorted, and each thing once with the evidence of all its mentions. The order
  // says nothing else, so that two files of the same meaning are equal.
  void normalise();
};

// Errors name the file and the place in it.
Result<Rules> parse_rules(const std::string& text, const std::string& name);
Result<Rules> read_rules(const std::string& file);

// As the file: normalised, one entry a line.
std::string write_rules(Rules rules);

}  // namespace rootlet::rules
