// SPDX-License-Identifier: MIT
#include "runtime/rules/rules.hpp"

#include <algorithm>

#include "runtime/os/fd.hpp"
#include "runtime/rules/call_names.hpp"
#include "runtime/rules/json_reader.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kRead = "read the rules";
constexpr std::size_t kMost = 16384;  // entries of one list

#if defined(__aarch64__)
constexpr std::string_view kMachine = "aarch64";
#else
constexpr std::string_view kMachine = "x86_64";
#endif

constexpr std::string_view kAccess = "create delete list metadata read write execute";

// What is said of an entry for people.
constexpr std::string_view kEvidence = "runs count where";

// The place of a word among others, from 0 on.
std::size_t place_of(std::string_view word, std::string_view words) {
  std::size_t place = 0;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) return place;
    words.remove_prefix(std::min(end + 1, words.size()));
    ++place;
  }
  return place;
}

class Reader {
 public:
  Reader(std::string_view text, Rules& rules) : json_(text), rules_(rules) {}

  std::string read() {
    bool versioned = false;
    json_.open('{');
    while (const int field =
               json_.field("rootlet_rules machine otherwise system_calls paths programs network",
                           "runs about $schema")) {
      switch (field) {
        case 1:
          versioned = json_.number(1u << 20) == 1;
          if (!versioned) json_.fail("rules of another version");
          break;
        case 2:
          if (json_.text() != kMachine) json_.fail("rules for another machine");
          break;
        case 3: read_otherwise(); break;
        case 4: read_list(&Reader::read_call); break;
        case 5: read_list(&Reader::read_path); break;
        case 6: read_list(&Reader::read_program); break;
        default: read_list(&Reader::read_network);
      }
    }
    json_.end();
    if (!versioned) json_.fail("rootlet_rules is missing: is it a file of rules?");
    return json_.trouble();
  }

 private:
  void read_list(void (Reader::*read_one)()) {
    std::size_t count = 0;
    json_.open('[');
    while (json_.more(']')) {
      if (++count > kMost) json_.fail("a list is too long");
      (this->*read_one)();
    }
  }

  // "0x5401 TCGETS"
  std::uint32_t read_value() {
    const std::string text = json_.text();
    std::string_view digits = std::string_view(text).substr(0, text.find(' '));
    const unsigned base = digits.starts_with("0x") ? 16 : 10;
    if (base == 16) digits.remove_prefix(2);
    std::uint64_t value = 0;
    bool valid = !digits.empty() && digits.size() <= 10;
    for (const char c : digits) {
      const std::size_t digit = std::string_view("0123456789abcdef").find(c);
      valid = valid && digit < base;
      value = value * base + digit;
    }
    if (!valid || value > UINT32_MAX) json_.fail("no \"NUMBER NAME\": ", text);
    return static_cast<std::uint32_t>(value);
  }

  // One of some words; its place.
  std::size_t read_word(std::string_view words) {
    const std::string word = json_.text();
    const std::size_t place = place_of(word, words);
    if (place == place_of({}, words)) json_.fail("unknown: ", word);
    return place;
  }

  void read_otherwise() {
    json_.open('{');
    while (const int field = json_.field("action errno", {})) {
      if (field == 1) {
        rules_.action = static_cast<Rules::Action>(read_word("deny kill log"));
      } else {
        rules_.error = read_value();
        if (rules_.error == 0 || rules_.error > 4095) json_.fail("no errno");
      }
    }
  }

  void read_condition() {
    Rules::Condition condition;
    condition.index = 6;
    json_.open('{');
    while (const int field = json_.field("index mask values", {})) {
      if (field == 1) condition.index = static_cast<std::uint32_t>(json_.number(5));
      if (field == 2) condition.mask = read_value();
      if (field != 3) continue;
      json_.open('[');
      while (json_.more(']')) condition.values.push_back(read_value());
    }
    if (condition.index > 5 || condition.values.empty()) json_.fail("index and values are needed");
    rules_.calls.back().conditions.push_back(std::move(condition));
  }

  void read_call() {
    bool named = false;
    rules_.calls.emplace_back();
    json_.open('{');
    while (const int field = json_.field("name arguments", kEvidence)) {
      if (field == 2) {
        read_list(&Reader::read_condition);
        continue;
      }
      const std::string name = json_.text();
      const auto number = call_number(name);
      named = number.has_value();
      if (!named) json_.fail("no such system call: ", name);
      rules_.calls.back().number = number.value_or(0);
    }
    if (!named) json_.fail("name is missing");
  }

  void read_access() { rules_.paths.back().access |= 1u << read_word(kAccess); }
  void read_path() { read_path_of("path below access", 0); }
  void read_program() { read_path_of("path below", Rules::execute); }

  void read_path_of(std::string_view words, std::uint32_t access) {
    Rules::Path& path = rules_.paths.emplace_back();
    path.access = access;
    json_.open('{');
    while (const int field = json_.field(words, kEvidence)) {
      if (field == 1) path.path = json_.text();
      if (field == 2) path.below = json_.truth();
      if (field == 3) read_list(&Reader::read_access);
    }
    if (path.path.empty() || (path.path[0] != '/' && path.path[0] != '$')) {
      json_.fail("a path is absolute, or begins with $CWD, $HOME or $BIND");
    }
  }

  void read_network() {
    std::size_t direction = 0, family = 9, type = 9;
    int port = -1;
    json_.open('{');
    while (const int field = json_.field("direction family type port address", kEvidence)) {
      if (field == 1) direction = read_word("connect bind");
      if (field == 2) family = read_word("inet inet6 unix netlink");
      if (field == 3) type = read_word("stream dgram seqpacket raw");
      if (field == 4) port = static_cast<int>(json_.number(65535));
      if (field == 5) rules_.addresses = !json_.text().empty() || rules_.addresses;
    }
    if (family < 2 && type == 0 && port >= 0) {
      rules_.ports.push_back({direction == 1, static_cast<std::uint16_t>(port)});
    } else {
      rules_.other_network = true;
    }
  }

  JsonReader json_;
  Rules& rules_;
};

}  // namespace

std::string_view access_name(Rules::Access access) {
  std::string_view words = kAccess;
  for (unsigned bit = access; bit > 1; bit >>= 1) words.remove_prefix(words.find(' ') + 1);
  return words.substr(0, words.find(' '));
}

Result<Rules> parse_rules(std::string_view text, const std::string& name) {
  if (text.size() > kLongestRules) return plain_error(kRead, name, "it is longer than 1 MiB");
  Rules rules;
  rules.name = name;
  rules.text = text;
  const std::string trouble = Reader(text, rules).read();
  if (trouble.empty()) return rules;
  return plain_error(kRead, name, trouble, "rootlet rules lint FILE; docs/rules.md describes it");
}

Result<Rules> read_rules(const std::string& file) {
  auto text = os::read_file(AT_FDCWD, file, kLongestRules + 1);
  if (text.ok()) return parse_rules(text.value(), file);
  Error error = std::move(text).error();
  error.action = kRead;
  return error;
}

}  // namespace rootlet
