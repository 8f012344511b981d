// SPDX-License-Identifier: MIT
#pragma once

#include <toml++/toml.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/result.hpp"

namespace rootlet::packaging {

// Values of a TOML file, taken with their type; each error names file, line
// and key.
class TomlReader {
 protected:
  explicit TomlReader(std::string name, std::string_view action = "read the policy")
      : name_(std::move(name)), action_(action) {}

  const std::string& name() const { return name_; }

  using Handler = std::function<Status(const toml::node&)>;
  using Handlers = std::map<std::string, Handler>;

  Error at(const toml::node& node, const std::string& reason, std::string_view hint = {}) const;

  // "did you mean ...?", or all that is known.
  static std::string hint_for(const std::string& key, const std::vector<std::string>& known);

  // The keys of a table in the order of the file.
  static std::vector<std::pair<std::string, const toml::node*>> ordered(const toml::table& table);

  // Calls the handler of each key; a key without one is an error.
  Status each(const toml::table& table, const std::string& section, const Handlers& handlers) const;

  Result<std::string> text(const toml::node& node, const std::string& key) const;
  Result<std::vector<std::string>> list(const toml::node& node, const std::string& key) const;
  // An absolute path inside the image.
  Result<std::string> inside(const toml::node& node, const std::string& key) const;

  // Handlers that put the value of `key` into `target`.
  Handler into_text(std::string& target, std::string key) const;
  Handler into_list(std::vector<std::string>& target, std::string key) const;
  Handler into_path(std::string& target, std::string key) const;

 private:
  std::string name_;
  std::string_view action_;  // what an error says was tried
};

}  // namespace rootlet::packaging
