// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "launcher/rules/rules.hpp"

namespace rootlet::rules {
namespace {

using Json = nlohmann::ordered_json;

void add_text(Json& to, const char* name, const std::string& text) {
  if (!text.empty()) to[name] = text;
}

void add_evidence(Json& to, const Evidence& evidence) {
  if (!evidence.runs.empty()) to["runs"] = evidence.runs;
  if (evidence.count > 0) to["count"] = evidence.count;
}

Json json_of(const Condition& condition) {
  Json json{{"index", condition.index}};
  if (condition.mask.number != 0xffffffff) json["mask"] = condition.mask.text();
  json["values"] = Json::array();
  for (const Value& value : condition.values) json["values"].push_back(value.text());
  return json;
}

Json json_of(const SystemCall& call) {
  Json json{{"name", call.name}};
  for (const Condition& condition : call.arguments) json["arguments"].push_back(json_of(condition));
  add_evidence(json, call.evidence);
  return json;
}

Json json_of(const Path& path) {
  Json json{{"path", path.path}};
  if (path.below) json["below"] = true;
  json["access"] = Json::array();
  for (const Access access : path.access) json["access"].push_back(name_of(access));
  add_text(json, "where", path.where);
  add_evidence(json, path.evidence);
  return json;
}

Json json_of(const Program& program) {
  Json json{{"path", program.path}};
  if (program.below) json["below"] = true;
  add_evidence(json, program.evidence);
  return json;
}

Json json_of(const Network& net) {
  Json json{{"direction", net.direction}, {"family", net.family}};
  add_text(json, "type", net.type);
  add_text(json, "address", net.address);
  if (net.port) json["port"] = *net.port;
  add_evidence(json, net.evidence);
  return json;
}

Json json_of(const Run& run) {
  Json json{{"name", run.name}};
  add_text(json, "date", run.date);
  add_text(json, "image", run.image);
  if (!run.command.empty()) json["command"] = run.command;
  add_text(json, "end", run.end);
  add_text(json, "note", run.note);
  return json;
}

// Names of files may hold bytes that are no UTF-8.
std::string line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// A list, one entry a line: what changed is then a line of a diff.
template <typename Entry>
std::string lines(const char* name, const std::vector<Entry>& entries) {
  std::string out = ",\n  \"" + std::string(name) + "\": [";
  for (const Entry& entry : entries) {
    out += (&entry == &entries.front() ? "\n    " : ",\n    ") + line(json_of(entry));
  }
  return out + (entries.empty() ? "]" : "\n  ]");
}

}  // namespace

std::string write_rules(Rules rules) {
  rules.normalise();
  std::string out = "{\n  \"rootlet_rules\": " + std::to_string(kVersion);
  out += ",\n  \"machine\": " + line(rules.machine);
  if (!rules.about.empty()) out += ",\n  \"about\": " + line(rules.about);
  Json otherwise{{"action", rules.action == Action::deny   ? "deny"
                            : rules.action == Action::kill ? "kill"
                                                           : "log"}};
  if (rules.action == Action::deny) otherwise["errno"] = rules.error.text();
  out += ",\n  \"otherwise\": " + line(otherwise);
  out += lines("runs", rules.runs);
  out += lines("system_calls", rules.system_calls);
  out += lines("paths", rules.paths);
  out += lines("programs", rules.programs);
  out += lines("network", rules.network);
  return out + "\n}\n";
}

}  // namespace rootlet::rules
