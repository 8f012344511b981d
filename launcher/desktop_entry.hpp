// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/base/result.hpp"

namespace rootlet {

// A desktop entry (Desktop Entry Specification 1.5) from an image, read by its
// strict form: what is no valid line is left out and counted, the first of
// several values of a key counts, a second group of a name is left out.
class DesktopEntry {
 public:
  struct Group {
    std::string name;
    std::vector<std::pair<std::string, std::string>> values;  // key, maybe with [locale]

    const std::string* find(const std::string& key) const;
    void set(const std::string& key, const std::string& value);
  };

  static constexpr const char* kMain = "Desktop Entry";
  static constexpr std::size_t kLargest = 256u << 10;  // bytes

  // Errors: too large, no UTF-8, no [Desktop Entry].
  static Result<DesktopEntry> parse(std::string_view text);

  Group* find(const std::string& name);
  const Group* find(const std::string& name) const;
  // Of the main group, as it is written; empty where it is not there.
  std::string value(const std::string& key) const;
  // The elements of a value that is a list, "a;b;".
  std::vector<std::string> list(const std::string& key) const;

  std::vector<Group>& groups() { return groups_; }
  const std::vector<Group>& groups() const { return groups_; }
  std::size_t left_out() const { return left_out_; }
  std::string text() const;

 private:
  std::vector<Group> groups_;
  std::size_t left_out_ = 0;
};

// Valid UTF-8 (RFC 3629).
bool is_utf8(std::string_view text);

}  // namespace rootlet
