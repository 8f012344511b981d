// SPDX-License-Identifier: MIT
#include "launcher/rules/lines.hpp"

#include "runtime/base/error.hpp"
#include "runtime/base/json_text.hpp"

namespace rootlet::rules {
namespace {

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::string short_name(const Value& value) {
  return value.name.empty() ? std::to_string(value.number) : value.name;
}

std::string words_of(const Condition& condition) {
  std::vector<std::string> values;
  for (const Value& value : condition.values) {
    values.push_back(value.number == 0 && value.name.empty() && !condition.mask.name.empty()
                         ? "without " + condition.mask.name
                         : short_name(value));
  }
  return joined(values, " or ");
}

void put_access(JsonText& json, const Path& path) {
  json.array("access");
  for (const Access access : path.access) json.text(name_of(access));
  json.close();
}

}  // namespace

std::string line_of(const SystemCall& call) {
  JsonText json;
  json.object().text("name", call.name);
  if (!call.arguments.empty()) json.array("arguments");
  for (const Condition& condition : call.arguments) {
    json.object().number("index", condition.index);
    if (condition.mask.number != 0xffffffff) json.text("mask", condition.mask.text());
    json.array("values");
    for (const Value& value : condition.values) json.text(value.text());
    json.close().close();
  }
  if (!call.arguments.empty()) json.close();
  return json.close().str();
}

std::string line_of(const Path& path) {
  JsonText json;
  json.object().text("path", path.path);
  if (path.below) json.truth("below", true);
  put_access(json, path);
  return json.close().str();
}

std::string line_of(const Program& program) {
  JsonText json;
  json.object().text("path", program.path);
  if (program.below) json.truth("below", true);
  return json.close().str();
}

std::string line_of(const Network& network) {
  JsonText json;
  json.object().text("direction", network.direction).text("family", network.family);
  json.text("type", network.type);
  if (!network.address.empty()) json.text("address", network.address);
  if (network.port) json.number("port", *network.port);
  return json.close().str();
}

std::string words_of(const SystemCall& call) {
  std::vector<std::string> conditions;
  for (const Condition& condition : call.arguments) conditions.push_back(words_of(condition));
  return call.name + (conditions.empty() ? "" : ": " + joined(conditions, ", "));
}

std::string words_of(const Path& path) {
  std::vector<std::string> accesses;
  for (const Access access : path.access) accesses.emplace_back(name_of(access));
  return joined(accesses, ", ") + " " + printable(path.path) + (path.below ? " and all in it" : "");
}

std::string words_of(const Program& program) {
  return "execute " + printable(program.path) + (program.below ? " and all in it" : "");
}

std::string words_of(const Network& network) {
  std::string text = network.direction + " " + network.family + " " + network.type;
  if (!network.address.empty()) text += " " + printable(network.address);
  if (network.port) text += " port " + std::to_string(*network.port);
  return text;
}

}  // namespace rootlet::rules
