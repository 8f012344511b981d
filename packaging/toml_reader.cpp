// SPDX-License-Identifier: MIT
#include "packaging/toml_reader.hpp"

#include <algorithm>

#include "packaging/policy_file.hpp"

namespace rootlet::packaging {
Error TomlReader::at(const toml::node& node, const std::string& reason,
                     std::string_view hint) const {
  return plain_error(action_, name_ + ":" + std::to_string(node.source().begin.line), reason, hint);
}

std::string TomlReader::hint_for(const std::string& key, const std::vector<std::string>& known) {
  const std::string near = suggest(key, known);
  if (!near.empty()) return "did you mean \"" + near + "\"?";
  std::string all = "known are:";
  for (const std::string& name : known) all += " " + name;
  return all;
}

std::vector<std::pair<std::string, const toml::node*>> TomlReader::ordered(
    const toml::table& table) {
  std::vector<std::pair<std::string, const toml::node*>> keys;
  for (const auto& [key, node] : table) keys.emplace_back(std::string(key.str()), &node);
  std::stable_sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) {
    const auto x = a.second->source().begin, y = b.second->source().begin;
    return std::pair(x.line, x.column) < std::pair(y.line, y.column);
  });
  return keys;
}

Status TomlReader::each(const toml::table& table, const std::string& section,
                        const Handlers& handlers) const {
  for (const auto& [key, node] : ordered(table)) {
    const auto found = handlers.find(key);
    if (found == handlers.end()) {
      std::vector<std::string> known;
      for (const auto& [name, handler] : handlers) known.push_back(name);
      return at(*node, "unknown key \"" + key + "\"" + (section.empty() ? "" : " in " + section),
                hint_for(key, known));
    }
    TRY(found->second(*node));
  }
  return Done{};
}

Result<std::string> TomlReader::text(const toml::node& node, const std::string& key) const {
  const auto value = node.value_exact<std::string>();
  if (!value) return at(node, "\"" + key + "\" must be a string");
  if (value->find('\0') != std::string::npos) return at(node, "\"" + key + "\" holds a NUL");
  return *value;
}

Result<std::vector<std::string>> TomlReader::list(const toml::node& node,
                                                  const std::string& key) const {
  const toml::array* array = node.as_array();
  if (array == nullptr) {
    return at(node, "\"" + key + "\" must be an array of strings", "write " + key + " = [\"...\"]");
  }
  std::vector<std::string> out;
  for (const toml::node& item : *array) out.push_back(TRY(text(item, key)));
  return out;
}

Result<std::string> TomlReader::inside(const toml::node& node, const std::string& key) const {
  const std::string path = TRY(text(node, key));
  if (!path.starts_with('/')) {
    return at(node,
              "\"" + key + "\" must be an absolute path inside the image, not \"" + path + "\"");
  }
  return path;
}

TomlReader::Handler TomlReader::into_text(std::string& target, std::string key) const {
  return [this, &target, key](const toml::node& node) -> Status {
    target = TRY(text(node, key));
    return Done{};
  };
}

TomlReader::Handler TomlReader::into_list(std::vector<std::string>& target, std::string key) const {
  return [this, &target, key](const toml::node& node) -> Status {
    target = TRY(list(node, key));
    return Done{};
  };
}

TomlReader::Handler TomlReader::into_path(std::string& target, std::string key) const {
  return [this, &target, key](const toml::node& node) -> Status {
    target = TRY(inside(node, key));
    return Done{};
  };
}

}  // namespace rootlet::packaging
