// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "launcher/learn/recording.hpp"
#include "runtime/base/error.hpp"

// The file of a recording: one thing seen a line.
namespace rootlet::learn {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::string_view kRead = "read the recording";
constexpr const char* kMark = "rootlet_recording";
constexpr int kVersion = 1;

// Names of files may hold any bytes; those that are no UTF-8 become U+FFFD.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json json_of(const Tally& tally) {
  Json json = {{"count", tally.count},
               {"first",
                {{"seconds", tally.first.seconds},
                 {"pid", tally.first.pid},
                 {"program", tally.first.program}}}};
  for (const auto& [code, ending] : tally.errors) {
    json["errors"].push_back({{"errno", std::to_string(code) + " " + errno_name(code)},
                              {"seen", ending.exact},
                              {"predicted", ending.predicted}});
  }
  return json;
}

Tally tally_from(const Json& json) {
  Tally tally;
  tally.count = json.at("count");
  const Json& first = json.at("first");
  tally.first = {first.at("seconds"), first.at("pid"), first.at("program")};
  for (const Json& error : json.value("errors", Json::array())) {
    const std::string number = error.at("errno");
    tally.errors[std::atoi(number.c_str())] = {error.at("seen"), error.at("predicted")};
  }
  return tally;
}

Json json_of(const CallUse& use) {
  Json json = {{"name", use.name}};
  for (const Argument& argument : use.arguments) {
    json["arguments"].push_back({{"index", argument.index},
                                 {"mask", argument.mask},
                                 {"mask_name", argument.mask_name},
                                 {"value", argument.value},
                                 {"value_name", argument.value_name}});
  }
  if (!use.detail.empty()) json["detail"] = use.detail;
  json.update(json_of(use.tally));
  return json;
}

CallUse call_from(const Json& json) {
  CallUse use{json.at("name"), {}, json.value("detail", ""), tally_from(json)};
  for (const Json& argument : json.value("arguments", Json::array())) {
    use.arguments.push_back({argument.at("index"), argument.at("mask"), argument.at("value"),
                             argument.at("mask_name"), argument.at("value_name")});
  }
  return use;
}

Json json_of(const PathUse& use) {
  Json json = {{"path", use.path},
               {"access", name_of(use.access)},
               {"where", name_of(use.where)},
               {"type", std::string(1, use.type)}};
  json.update(json_of(use.tally));
  return json;
}

PathUse path_from(const Json& json) {
  const std::string type = json.at("type");
  return {json.at("path"), access_of(json.at("access").get<std::string>()),
          where_of(json.at("where").get<std::string>()), type.empty() ? '?' : type[0],
          tally_from(json)};
}

Json json_of(const ProgramUse& use) {
  Json json = {{"path", use.path}, {"as", use.as}, {"where", name_of(use.where)}};
  json.update(json_of(use.tally));
  return json;
}

ProgramUse program_from(const Json& json) {
  return {json.at("path"), json.at("as"), where_of(json.at("where").get<std::string>()),
          tally_from(json)};
}

Json json_of(const NetworkUse& use) {
  Json json = {{"direction", use.direction},
               {"family", use.family},
               {"type", use.type},
               {"address", use.address}};
  if (use.port >= 0) json["port"] = use.port;
  json.update(json_of(use.tally));
  return json;
}

NetworkUse network_from(const Json& json) {
  return {json.at("direction"), json.at("family"),      json.at("type"),
          json.at("address"),   json.value("port", -1), tally_from(json)};
}

Json json_of(const ProcessSeen& seen) {
  return {{"pid", seen.pid},     {"parent", seen.parent},   {"began", seen.began},
          {"ended", seen.ended}, {"program", seen.program}, {"threads", seen.threads}};
}

ProcessSeen process_from(const Json& json) {
  return {json.at("pid"),   json.at("parent"),  json.at("began"),
          json.at("ended"), json.at("program"), json.at("threads")};
}

Json json_of(const Setting& setting) {
  Json json = {{"cwd", setting.cwd},         {"home", setting.home}, {"profile", setting.profile},
               {"network", setting.network}, {"ipc", setting.ipc},   {"scratch", setting.scratch},
               {"binds", Json::array()}};
  for (const Setting::Shown& shown : setting.binds) {
    json["binds"].push_back(
        {{"target", shown.target}, {"source", shown.source}, {"writable", shown.writable}});
  }
  return json;
}

Setting setting_from(const Json& json) {
  Setting setting{json.at("cwd"),     json.at("home"), json.at("profile"),
                  json.at("network"), json.at("ipc"),  {},
                  json.at("scratch")};
  for (const Json& shown : json.at("binds")) {
    setting.binds.push_back({shown.at("target"), shown.at("source"), shown.at("writable")});
  }
  return setting;
}

template <typename Row>
void put_rows(std::string& text, const char* name, const std::vector<Row>& rows) {
  text += ",\n\"" + std::string(name) + "\": [";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    text += (i == 0 ? "\n  " : ",\n  ") + text_of(json_of(rows[i]));
  }
  text += "]";
}

template <typename Row>
void take_rows(const Json& json, const char* name, Row (*from)(const Json&),
               std::vector<Row>& rows) {
  for (const Json& row : json.at(name)) rows.push_back(from(row));
}

Recording recording_from(const Json& json) {
  Recording recording;
  if (json.at(kMark) != kVersion) throw std::runtime_error("it is of another version");
  recording.name = json.at("name");
  recording.date = json.at("date");
  recording.image = json.at("image");
  recording.kernel = json.at("kernel");
  recording.end = json.at("end");
  recording.detail = json.at("detail");
  recording.seconds = json.at("seconds");
  recording.calls = json.at("calls");
  recording.most_processes = json.at("most_processes");
  recording.most_memory = json.at("most_memory");
  recording.command = json.at("command");
  recording.notes = json.at("notes");
  recording.image_files = json.value("image_files", std::vector<std::string>());
  recording.setting = setting_from(json.at("setting"));
  take_rows(json, "system_calls", call_from, recording.calls_used);
  take_rows(json, "paths", path_from, recording.paths);
  take_rows(json, "programs", program_from, recording.programs);
  take_rows(json, "network", network_from, recording.network);
  take_rows(json, "processes", process_from, recording.processes);
  return recording;
}

}  // namespace

std::string write_recording(const Recording& recording) {
  Json head = {{kMark, kVersion},
               {"name", recording.name},
               {"date", recording.date},
               {"image", recording.image},
               {"command", recording.command},
               {"kernel", recording.kernel},
               {"end", recording.end},
               {"detail", recording.detail},
               {"seconds", recording.seconds},
               {"calls", recording.calls},
               {"most_processes", recording.most_processes},
               {"most_memory", recording.most_memory},
               {"notes", recording.notes},
               {"setting", json_of(recording.setting)}};
  std::string text = "{";
  for (const auto& [key, value] : head.items()) {
    text += (text.size() == 1 ? "\n" : ",\n") + text_of(Json(key)) + ": " + text_of(value);
  }
  put_rows(text, "system_calls", recording.calls_used);
  put_rows(text, "paths", recording.paths);
  put_rows(text, "programs", recording.programs);
  put_rows(text, "network", recording.network);
  put_rows(text, "processes", recording.processes);
  if (!recording.image_files.empty()) {
    text += ",\n\"image_files\": " + text_of(Json(recording.image_files));
  }
  return text + "\n}\n";
}

Result<Recording> parse_recording(const std::string& text, const std::string& name) {
  try {
    return recording_from(Json::parse(text));
  } catch (const std::exception& error) {
    return plain_error(kRead, name, error.what(), "rootlet learn --recording=FILE writes one");
  }
}

bool is_recording(const std::string& text) {
  return text.substr(0, 200).find('"' + std::string(kMark) + '"') != std::string::npos;
}

}  // namespace rootlet::learn
