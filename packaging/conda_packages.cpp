// SPDX-License-Identifier: MIT
#include "packaging/conda_packages.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "packaging/check.hpp"

namespace rootlet::packaging {
namespace {

using Json = nlohmann::json;
constexpr std::uint64_t kLargestRecord = 64 << 20;

std::string text_of(const NodePtr& node) {
  if (!node || !node->is_file() || node->size > kLargestRecord) return "";
  const auto content = node->content.open();
  std::string text(node->size, '\0');
  if (!content.ok() || !content.value().read_at(0, text.data(), text.size()).ok()) return "";
  return text;
}

std::string text_at(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

// The names in lines like: # update specs: ['hmmer=3.3', "samtools"]
std::set<std::string> asked_for(const Tree& files) {
  std::set<std::string> names;
  std::istringstream lines(text_of(files.find("conda-meta/history")));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("# ") || line.find(" specs: ") == std::string::npos) continue;
    const bool removed = line.starts_with("# remove");
    for (std::size_t at = 0; (at = line.find_first_of("'\"", at)) != std::string::npos;) {
      const std::size_t end = line.find(line[at], at + 1);
      if (end == std::string::npos) break;
      std::string spec = line.substr(at + 1, end - at - 1);
      spec = spec.substr(spec.rfind(':') == std::string::npos ? 0 : spec.rfind(':') + 1);
      const std::string name = spec.substr(0, spec.find_first_of(" =<>!~["));
      if (removed) names.erase(name);
      if (!removed) names.insert(name);
      at = end + 1;
    }
  }
  return names;
}

struct Record {
  std::string name, version, url, licence;
  std::vector<std::string> programs;  // in bin/
};

std::vector<Record> records(const Tree& files, const std::set<std::string>& wanted) {
  std::vector<Record> all;
  const NodePtr meta = files.find("conda-meta");
  if (!meta) return all;
  for (const auto& [file, node] : meta->children) {
    if (!file.ends_with(".json")) continue;
    const Json json = Json::parse(text_of(node), nullptr, false);
    if (!json.is_object()) continue;
    Record record{text_at(json, "name"),
                  text_at(json, "version"),
                  text_at(json, "url"),
                  text_at(json, "license"),
                  {}};
    const std::string spec = text_at(json, "requested_spec");
    const bool asked = wanted.contains(record.name) || (!spec.empty() && spec != "None");
    if (!asked || !json.contains("files") || !json["files"].is_array()) continue;
    for (const Json& entry : json["files"]) {
      const std::string path = entry.is_string() ? entry.get<std::string>() : "";
      if (!path.starts_with("bin/") || path.find('/', 4) != std::string::npos) continue;
      const NodePtr program = files.find(path);
      if (program && !program->is_directory()) record.programs.push_back(path.substr(4));
    }
    all.push_back(std::move(record));
  }
  return all;
}

// Variables that activation would set by itself; its scripts are not run.
void add_variables(const Tree& files, Policy& policy, std::vector<std::string>& notes) {
  const Json state = Json::parse(text_of(files.find("conda-meta/state")), nullptr, false);
  if (state.is_object() && state.contains("env_vars") && state["env_vars"].is_object()) {
    for (const auto& item : state["env_vars"].items()) {
      if (item.value().is_string()) {
        policy.env.push_back(item.key() + "=" + item.value().get<std::string>());
      }
    }
  }
  const NodePtr scripts = files.find("etc/conda/activate.d");
  if (!scripts || scripts->children.empty()) return;
  std::string names;
  for (const auto& [name, node] : scripts->children) names += " " + name;
  notes.push_back("activation scripts are not run; what they set is given with env in the policy:" +
                  names);
}

}  // namespace

Policy describe_environment(const Tree& files, const std::string& prefix, const std::string& name,
                            std::vector<std::string>& notes) {
  Policy policy;
  policy.name = name;
  policy.env = {"PATH=" + prefix + "/bin:" + std::string(kDefaultPath), "CONDA_PREFIX=" + prefix,
                "CONDA_DEFAULT_ENV=" + name};
  add_variables(files, policy, notes);
  std::map<std::string, std::string> commands;
  const std::vector<Record> all = records(files, asked_for(files));
  for (const Record& record : all) {
    for (const std::string& program : record.programs) {
      commands.emplace(program, prefix + "/bin/" + program);
      if (program != record.name || !policy.entrypoint.empty()) continue;
      policy.entrypoint = {prefix + "/bin/" + program};
      policy.name = record.name;
      policy.version = record.version;
      policy.licence = record.licence;
    }
  }
  if (policy.version.empty() && all.size() == 1) policy.version = all.front().version;
  policy.commands.assign(commands.begin(), commands.end());
  return policy;
}

}  // namespace rootlet::packaging
