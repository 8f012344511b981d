// SPDX-License-Identifier: MIT
#include <toml++/toml.h>
#include <algorithm>
#include <sstream>

#include "packaging/policy_file.hpp"

namespace rootlet::packaging {
namespace {

toml::array array_of(const std::vector<std::string>& list) {
  toml::array out;
  for (const std::string& item : list) out.push_back(item);
  return out;
}

toml::table tool_of(const Policy& policy) {
  toml::table tool;
  const auto text = [&](const char* key, const std::string& value) {
    if (!value.empty()) tool.insert(key, value);
  };
  const auto list = [&](const char* key, const std::vector<std::string>& values) {
    if (!values.empty()) tool.insert(key, array_of(values));
  };
  text("name", policy.name);
  text("version", policy.version);
  text("licence", policy.licence);
  text("url", policy.url);
  list("entrypoint", policy.entrypoint);
  list("arguments", policy.arguments);
  text("dispatch", policy.dispatch);
  text("workdir", policy.workdir);
  list("env", policy.env);
  list("selftest", policy.selftest);
  toml::table commands;
  for (const auto& [name, path] : policy.commands) commands.insert(name, path);
  if (!commands.empty()) tool.insert("commands", std::move(commands));
  return tool;
}

// An option given once is a text, one given more often a list; a flag is true.
toml::table isolation_of(const Policy& policy) {
  toml::table table;
  for (const auto& [name, value] : policy.isolation) {
    if (value.empty()) {
      table.insert_or_assign(name, true);
    } else if (toml::array* list = table[name].as_array()) {
      list->push_back(value);
    } else if (const auto first = table[name].value<std::string>()) {
      table.insert_or_assign(name, toml::array{*first, value});
    } else {
      table.insert_or_assign(name, value);
    }
  }
  if (!policy.locked.empty()) table.insert("locked", array_of(policy.locked));
  return table;
}

toml::table data_of(const Policy& policy) {
  toml::table table;
  for (const Policy::Data& data : policy.data) {
    toml::table one{{"path", data.path}};
    if (!data.digest.empty()) one.insert("digest", data.digest);
    if (data.size != 0) one.insert("size", static_cast<std::int64_t>(data.size));
    if (data.required) one.insert("required", true);
    table.insert(data.name, std::move(one));
  }
  return table;
}

}  // namespace

std::string policy_to_toml(const Policy& policy) {
  toml::table document;
  document.insert("tool", tool_of(policy));
  toml::table isolation = isolation_of(policy);
  if (!isolation.empty()) document.insert("isolation", std::move(isolation));
  toml::table data = data_of(policy);
  if (!data.empty()) document.insert("data", std::move(data));
  std::ostringstream text;
  text << toml::toml_formatter(document) << "\n";
  return text.str();
}

Policy with_blanks_filled(Policy policy, const Policy& from) {
  const auto fill = [](auto& blank, const auto& value) {
    if (blank.empty()) blank = value;
  };
  fill(policy.name, from.name);
  fill(policy.version, from.version);
  fill(policy.licence, from.licence);
  fill(policy.url, from.url);
  fill(policy.workdir, from.workdir);
  fill(policy.selftest, from.selftest);
  fill(policy.data, from.data);
  fill(policy.locked, from.locked);
  fill(policy.rules, from.rules);
  // Arguments belong to the entry that they were written for.
  if (policy.entrypoint.empty() && policy.commands.empty()) {
    policy.entrypoint = from.entrypoint;
    fill(policy.dispatch, from.dispatch);
    fill(policy.arguments, from.arguments);
  }
  fill(policy.commands, from.commands);
  const auto key = [](const std::string& entry) { return entry.substr(0, entry.find('=')); };
  std::vector<std::string> env = from.env;
  std::erase_if(env, [&](const std::string& entry) {
    return std::any_of(policy.env.begin(), policy.env.end(),
                       [&](const std::string& given) { return key(given) == key(entry); });
  });
  policy.env.insert(policy.env.begin(), env.begin(), env.end());
  const auto given = policy.isolation;
  for (const auto& [name, value] : from.isolation) {
    const bool said = std::any_of(given.begin(), given.end(),
                                  [&, &n = name](const auto& option) { return option.first == n; });
    if (!said) policy.isolation.emplace_back(name, value);
  }
  policy.own_apprun =
      policy.own_apprun || (from.own_apprun && policy.entrypoint == from.entrypoint);
  return policy;
}

}  // namespace rootlet::packaging
