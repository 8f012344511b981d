// SPDX-License-Identifier: MIT
#include "launcher/records/compare.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "runtime/base/error.hpp"

namespace rootlet::records {
namespace {

using Kind = Difference::Kind;

// Facts of a record by name, each a text to be compared.
using Facts = std::map<std::string, std::string>;

// What paths of a record stand for.
PathNames reading_of(const Json& record, Places places) {
  for (const Json& image : list_at(record, "images")) {
    const std::string digest = digest_of(image);
    if (!digest.empty()) places.emplace_back(text_at(image, "file"), "(" + digest + ")");
  }
  places.emplace_back(text_at(record, "directory"), ".");
  places.emplace_back(text_at(record, "home"), "~");
  return PathNames(std::move(places));
}

std::string value_text(const Json& value, const PathNames& reading) {
  if (value.is_string()) return reading.of(value.get<std::string>());
  if (value.is_null()) return "(hidden)";
  return reading.of(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void add_files(Facts& facts, const Json& record, const char* list, const PathNames& reading) {
  const std::string kind = list == std::string_view("inputs") ? "input " : "output ";
  for (const Json& file : list_at(record, list)) {
    std::string text = text_at(file, "sha256");
    if (file.contains("link")) text = "-> " + text_at(file, "link");
    if (file.contains("error")) text = text_at(file, "error");
    std::string path = reading.of(text_at(file, "path"));
    if (path.starts_with("./")) path.erase(0, 2);
    facts[kind + path] = text;
  }
}

// Options that say where, not what.
bool is_about_place(const std::string& option) {
  static const std::set<std::string> kPlaces = {
      "record",          "record-input", "record-output", "record-private", "status",
      "status-fd",       "verbose",      "data-path",     "image",          "exec",
      "die-with-parent", "cache",        "keep",          "server-cache"};
  return kPlaces.contains(option);
}

Facts made_of(const Json& record, const PathNames& reading) {
  Facts facts;
  facts["rootlet"] = text_at(record, "rootlet");
  for (const char* name : {"program", "policy"}) facts[name] = text_at(record, name);
  for (const char* name : {"name", "version"}) {
    facts["tool "] += text_at(object_at(record, "tool"), name) + " ";
  }
  for (const Json& image : list_at(record, "images")) {
    const std::string path = text_at(image, "path");
    const std::string digest = digest_of(image);
    facts["image " + text_at(image, "role") + (path.empty() ? "" : " at " + path)] =
        digest.empty()
            ? "without a digest, " + std::to_string(number_at(image, "length")) + " bytes"
            : digest + (text_at(image, "part").empty() ? "" : "//") + text_at(image, "part");
  }
  const Json& release = object_at(record, "release");
  if (!release.empty())
    facts["release"] = text_at(release, "name") + " " + text_at(release, "digest");
  const char* words = record.contains("argv") ? "argv" : "arguments";
  for (const std::string& word : texts_at(record, words)) {
    facts["command"] += reading.of(word) + "\n";
  }
  for (const Json& option : list_at(record, "options")) {
    const std::string name = text_at(option, "name");
    if (is_about_place(name)) continue;
    facts["option " + name] += reading.of(text_at(option, "value")) + "\n";
  }
  for (const auto& [name, value] : object_at(record, "environment").items()) {
    facts["variable " + name] = value_text(value, reading);
  }
  for (const auto& [name, value] : object_at(record, "plan").items()) {
    if (name == "ids" || name == "uid_map" || name == "gid_map") continue;
    facts["plan " + name] = value_text(value, reading);
  }
  add_files(facts, record, "inputs", reading);
  facts["standard input"] = text_at(object_at(record, "stdin"), "sha256");
  return facts;
}

Facts result(const Json& record, const PathNames& reading) {
  Facts facts;
  add_files(facts, record, "outputs", reading);
  facts["standard output"] = text_at(object_at(record, "stdout"), "sha256");
  facts["end"] = reading.of(ending(record));
  for (const std::string& limit : texts_at(record, "limits_met"))
    facts["limit met " + limit] = "yes";
  return facts;
}

Facts place(const Json& record) {
  const PathNames plain({});
  Facts facts;
  for (const char* name : {"start", "end", "directory", "home"})
    facts[name] = text_at(record, name);
  for (const char* name : {"user_ms", "system_ms", "max_rss_kib", "peak_bytes"}) {
    facts[name] = std::to_string(number_at(record, name));
  }
  for (const auto& [name, value] : object_at(record, "host").items()) {
    facts["host " + name] = value_text(value, plain);
  }
  facts["bytes read of images"] = value_text(list_at(record, "read_bytes"), plain);
  for (const Json& image : list_at(record, "images")) {
    facts["file of image " + text_at(image, "role") + " " + text_at(image, "path")] =
        text_at(image, "file");
  }
  return facts;
}

void compare(std::vector<Difference>& found, Kind kind, const Facts& first, const Facts& second) {
  std::set<std::string> names;
  for (const auto* facts : {&first, &second}) {
    for (const auto& [name, value] : *facts) names.insert(name);
  }
  const auto value_in = [](const Facts& facts, const std::string& name) {
    const auto at = facts.find(name);
    return at == facts.end() ? std::string() : at->second;
  };
  for (const std::string& name : names) {
    Difference difference{kind, name, value_in(first, name), value_in(second, name)};
    if (difference.before != difference.after) found.push_back(std::move(difference));
  }
}

constexpr const char* kKinds[] = {"made of", "result", "time and place"};

std::string shown(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text.empty() ? "(none)" : printable(text);
}

}  // namespace

std::vector<Difference> differences(const Json& first, const Json& second, const Places& places) {
  const PathNames of_first = reading_of(first, {}), of_second = reading_of(second, places);
  std::vector<Difference> found;
  compare(found, Kind::made_of, made_of(first, of_first), made_of(second, of_second));
  compare(found, Kind::result, result(first, of_first), result(second, of_second));
  compare(found, Kind::place, place(first), place(second));
  return found;
}

bool same(const std::vector<Difference>& found, std::initializer_list<Kind> kinds) {
  return std::none_of(found.begin(), found.end(), [&](const Difference& difference) {
    return std::find(kinds.begin(), kinds.end(), difference.kind) != kinds.end();
  });
}

std::string differences_as_text(const std::vector<Difference>& found) {
  std::string text;
  const char* last = nullptr;
  for (const Difference& difference : found) {
    const char* kind = kKinds[static_cast<int>(difference.kind)];
    if (kind != last) text += std::string(kind) + ":\n";
    last = kind;
    text += "  " + printable(difference.what) + ": " + shown(difference.before) + " -> " +
            shown(difference.after) + "\n";
  }
  return text;
}

std::string differences_as_json(const std::vector<Difference>& found) {
  Json list = Json::array();
  for (const Difference& difference : found) {
    list.push_back({{"kind", kKinds[static_cast<int>(difference.kind)]},
                    {"what", difference.what},
                    {"before", difference.before},
                    {"after", difference.after}});
  }
  return list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace rootlet::records
