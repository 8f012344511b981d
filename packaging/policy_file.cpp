// SPDX-License-Identifier: MIT
#include "packaging/policy_file.hpp"
#include "runtime/run/options.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "packaging/compact_rules.hpp"
#include "packaging/policy_keys.hpp"
#include "packaging/policy_table.hpp"
#include "packaging/toml_reader.hpp"

namespace rootlet::packaging {
namespace {

// "sha256:" and 64 hexadecimal digits: the digest of a seal.
bool is_digest(const std::string& text) {
  constexpr std::string_view kPrefix = "sha256:";
  return text.starts_with(kPrefix) && text.size() == kPrefix.size() + 64 &&
         text.find_first_not_of("0123456789abcdef", kPrefix.size()) == std::string::npos;
}

constexpr std::string_view kRead = "read the policy";
constexpr std::size_t kMaximumFile = 1 << 20;

using Form = IsolationKey::Form;

class Reader : private TomlReader {
 public:
  explicit Reader(std::string name) : TomlReader(std::move(name)) {}

  Result<Policy> read(const toml::table& document) {
    TRY(each(document, "",
             {
                 {"tool", [this](const toml::node& node) { return read_tool(node); }},
                 {"isolation", [this](const toml::node& node) { return read_isolation(node); }},
                 {"data", [this](const toml::node& node) { return read_data(node); }},
             }));
    return std::move(policy_);
  }

 private:
  Status read_tool(const toml::node& node) {
    const toml::table* table = node.as_table();
    if (table == nullptr) return at(node, "\"tool\" must be a table: [tool]");
    return each(*table, "[tool]",
                {
                    {"name", into_text(policy_.name, "name")},
                    {"version", into_text(policy_.version, "version")},
                    {"licence", into_text(policy_.licence, "licence")},
                    {"url", into_text(policy_.url, "url")},
                    {"entrypoint", [this](const toml::node& n) { return read_entrypoint(n); }},
                    {"arguments", into_list(policy_.arguments, "arguments")},
                    {"commands", [this](const toml::node& n) { return read_commands(n); }},
                    {"dispatch", [this](const toml::node& n) { return read_dispatch(n); }},
                    {"workdir", into_path(policy_.workdir, "workdir")},
                    {"env", [this](const toml::node& n) { return read_env(n); }},
                    {"selftest", into_list(policy_.selftest, "selftest")},
                });
  }

  Status read_entrypoint(const toml::node& node) {
    policy_.entrypoint = TRY(list(node, "entrypoint"));
    if (policy_.entrypoint.empty()) return at(node, "\"entrypoint\" is empty");
    return Done{};
  }

  Status read_dispatch(const toml::node& node) {
    policy_.dispatch = TRY(text(node, "dispatch"));
    if (policy_.dispatch == "argument") return Done{};
    return at(node, "\"dispatch\" can only be \"argument\"");
  }

  Status read_commands(const toml::node& node) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      return at(node, "\"commands\" must be a table", "write commands = {NAME = \"/path/inside\"}");
    }
    for (const auto& [key, value] : ordered(*table)) {
      if (key.empty() || key.find('/') != std::string::npos) {
        return at(*value, "a command's name cannot be \"" + key + "\"");
      }
      policy_.commands.emplace_back(key, TRY(inside(*value, key)));
    }
    return Done{};
  }

  Status read_env(const toml::node& node) {
    if (const toml::table* table = node.as_table()) {
      for (const auto& [key, value] : ordered(*table)) {
        policy_.env.push_back(key + "=" + TRY(text(*value, key)));
      }
      return Done{};
    }
    policy_.env = TRY(list(node, "env"));
    for (const std::string& entry : policy_.env) {
      if (entry.find('=') == std::string::npos || entry.starts_with('=')) {
        return at(node, "\"env\": \"" + entry + "\" is not KEY=VALUE");
      }
    }
    return Done{};
  }

  Status read_isolation(const toml::node& node) {
    const toml::table* table = node.as_table();
    if (table == nullptr) return at(node, "\"isolation\" must be a table: [isolation]");
    std::vector<std::string> known{"locked"};
    for (const IsolationKey& key : kIsolationKeys) {
      if (key.form != Form::kForbidden) known.emplace_back(key.name);
    }
    for (const auto& [key, value] : ordered(*table)) {
      if (key == "locked") {
        TRY(read_locked(*value, known));
        continue;
      }
      const auto found = std::find_if(kIsolationKeys.begin(), kIsolationKeys.end(),
                                      [&, &k = key](const auto& entry) { return entry.name == k; });
      if (found == kIsolationKeys.end()) {
        return at(*value, "unknown key \"" + key + "\" in [isolation]", hint_for(key, known));
      }
      if (key == "rules") {
        TRY(read_rules_of(*value));
        continue;
      }
      const std::size_t before = policy_.isolation.size();
      TRY(read_option(*value, key, found->form));
      TRY(try_options(*value, before));
    }
    return Done{};
  }

  // The file that is named, beside the policy, and not its name: what a run
  // enforces of it goes into the image.
  Status read_rules_of(const toml::node& node) {
    // An absolute one stays as it is.
    const auto file = std::filesystem::path(name()).parent_path() / TRY(text(node, "rules"));
    auto compact = compact_rules(file.string());
    if (!compact.ok()) {
      return at(node, "\"rules\": " + compact.error().message(),
                "rules = \"FILE\", beside this one");
    }
    policy_.rules = std::move(compact).value();
    return Done{};
  }

  // What the stub would refuse at every run is refused here, once.
  Status try_options(const toml::node& node, std::size_t from) {
    for (; from < policy_.isolation.size(); ++from) {
      const auto& [name, text] = policy_.isolation[from];
      Options ignored;
      auto set = set_option(ignored, name, text.empty() ? std::nullopt : std::optional(text),
                            Origin::policy);
      if (!set.ok()) {
        return at(node, "\"" + name + "\": " + set.error().reason, set.error().hint);
      }
    }
    return Done{};
  }

  Status read_locked(const toml::node& node, const std::vector<std::string>& known) {
    policy_.locked = TRY(list(node, "locked"));
    for (const std::string& name : policy_.locked) {
      if (name != "locked" && std::find(known.begin(), known.end(), name) != known.end()) continue;
      return at(node, "\"locked\" names no option: \"" + name + "\"", hint_for(name, known));
    }
    return Done{};
  }

  Status read_option(const toml::node& node, const std::string& key, Form form) {
    const auto flag = node.value_exact<bool>();
    const auto add = [&](std::string value) {
      policy_.isolation.emplace_back(key, std::move(value));
      return Done{};
    };
    switch (form) {
      case Form::kForbidden:
        return at(node, "\"" + key + "\" is never read from an image",
                  "who runs the image gives --rootlet-" + key);
      case Form::kFlag:
        if (!flag) return at(node, "\"" + key + "\" must be true or false");
        return *flag ? add("") : Done{};
      case Form::kFlagOrText:
        if (flag) return *flag ? add("") : Done{};
        return add(TRY(text(node, key)));
      case Form::kText:
        if (const auto number = node.value_exact<std::int64_t>())
          return add(std::to_string(*number));
        return add(TRY(text(node, key)));
      case Form::kList:
        if (node.is_string()) return add(TRY(text(node, key)));
        for (std::string& value : TRY(list(node, key))) add(std::move(value));
        return Done{};
    }
    return Done{};
  }

  Status read_data(const toml::node& node) {
    const toml::table* table = node.as_table();
    if (table == nullptr) return at(node, "\"data\" must be a table: [data]");
    for (const auto& [key, value] : ordered(*table)) {
      policy_.data.push_back(TRY(read_one_data(*value, key)));
    }
    return Done{};
  }

  Result<Policy::Data> read_one_data(const toml::node& node, const std::string& key) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      return at(node, "\"" + key + "\" must be a table", key + " = {path = \"/where/inside\"}");
    }
    Policy::Data data;
    data.name = key;
    const Handlers handlers{
        {"path", into_path(data.path, "path")},
        {"digest", into_text(data.digest, "digest")},
        {"size",
         [&](const toml::node& n) -> Status {
           const auto size = n.value_exact<std::int64_t>();
           if (!size || *size < 0) return at(n, "\"size\" must be a number of bytes");
           data.size = static_cast<std::uint64_t>(*size);
           return Done{};
         }},
        {"required",
         [&](const toml::node& n) -> Status {
           const auto required = n.value_exact<bool>();
           if (!required) return at(n, "\"required\" must be true or false");
           data.required = *required;
           return Done{};
         }},
    };
    TRY(each(*table, "[data] " + key, handlers));
    if (data.path.empty()) return at(node, "\"" + key + "\" lacks its path");
    if (!is_digest(data.digest)) {
      return at(node, "\"" + key + "\" lacks a digest that can be one: \"" + data.digest + "\"",
                "rootlet data add FILE prints it");
    }
    return data;
  }

  Policy policy_;
};

}  // namespace

Result<Policy> policy_from(const toml::table& document, const std::string& name) {
  return Reader(name).read(document);
}

Result<Policy> parse_policy(const std::string& text, const std::string& name) {
  try {
    return policy_from(toml::parse(text, name), name);
  } catch (const toml::parse_error& error) {
    return plain_error(kRead, name + ":" + std::to_string(error.source().begin.line),
                       error.description());
  }
}

Result<Policy> read_policy_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return last_error(kRead, path);
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad()) return last_error(kRead, path);
  if (text.str().size() > kMaximumFile) return plain_error(kRead, path, "it is larger than 1 MiB");
  return parse_policy(text.str(), path);
}

}  // namespace rootlet::packaging
