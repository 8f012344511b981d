// SPDX-License-Identifier: MIT
#include "packaging/compact_rules.hpp"

#include <nlohmann/json.hpp>

#include "runtime/os/fd.hpp"
#include "runtime/rules/rules.hpp"

namespace rootlet::packaging {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::string_view kRead = "read the rules";
constexpr std::size_t kLongest = 64u << 20;

}  // namespace

Result<std::string> compact_rules(const std::string& file) {
  const std::string text = TRY(os::read_file(AT_FDCWD, file, kLongest));
  try {
    Json json = Json::parse(text);
    for (const char* key : {"$schema", "about", "runs"}) json.erase(key);
    for (const char* list : {"system_calls", "paths", "programs", "network"}) {
      if (!json.contains(list)) continue;
      for (Json& entry : json[list]) {
        for (const char* key : {"runs", "count", "where"}) entry.erase(key);
      }
    }
    std::string compact = json.dump();
    TRY(parse_rules(compact, file));
    return compact;
  } catch (const Json::exception& error) {
    return plain_error(kRead, file, error.what());
  }
}

}  // namespace rootlet::packaging
