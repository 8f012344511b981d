// SPDX-License-Identifier: MIT
#include "launcher/release.hpp"

#include <fcntl.h>

#include <nlohmann/json.hpp>

#include "runtime/base/option_text.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/payload/seal.hpp"
#include "runtime/run/paths.hpp"

namespace rootlet {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kRead = "read the release";
constexpr std::string_view kBegin = "{\"release\":";
constexpr std::size_t kLongest = 1u << 20;

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

bool is_digest(const std::string& text) {
  constexpr std::string_view kPrefix = "sha256:";
  return text.starts_with(kPrefix) && text.size() == kPrefix.size() + 64 &&
         text.find_first_not_of("0123456789abcdef", kPrefix.size()) == std::string::npos;
}

Result<std::vector<Release::Pin>> pins_at(const Json& json, const char* key,
                                          const std::string& file) {
  std::vector<Release::Pin> pins;
  const auto list = json.find(key);
  if (list == json.end() || !list->is_array()) {
    return plain_error(kRead, file, std::string("it has no list \"") + key + "\"");
  }
  for (const Json& one : *list) {
    if (!one.is_object()) return plain_error(kRead, file, "a pin is no object");
    Release::Pin pin{text_at(one, "name"), text_at(one, "digest"), 0, text_at(one, "path"), false};
    const auto size = one.find("size");
    if (size != one.end() && size->is_number_unsigned()) pin.size = size->get<std::uint64_t>();
    pin.attached = one.contains("attached") && one["attached"].is_boolean() && one["attached"];
    if (pin.name.empty() || pin.name.find('/') != std::string::npos || !is_digest(pin.digest)) {
      return plain_error(kRead, file,
                         "a pin of \"" + std::string(key) + "\" needs name and digest");
    }
    if (pin.attached && !pin.path.starts_with('/')) {
      return plain_error(kRead, file, pin.name + " has no path to be shown at");
    }
    pins.push_back(std::move(pin));
  }
  return pins;
}

Json pins_as_json(const std::vector<Release::Pin>& pins) {
  Json list = Json::array();
  for (const Release::Pin& pin : pins) {
    Json one{{"name", pin.name}, {"digest", pin.digest}};
    if (pin.size != 0) one["size"] = pin.size;
    if (!pin.path.empty()) one["path"] = pin.path;
    if (pin.attached) one["attached"] = true;
    list.push_back(std::move(one));
  }
  return list;
}

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

const Release::Pin* Release::tool(const std::string& wanted) const {
  for (const Pin& pin : tools) {
    if (pin.name == wanted) return &pin;
  }
  return nullptr;
}

std::string Release::as_json() const { return dumped({{"name", title()}, {"digest", digest}}); }

Result<std::optional<Release>> read_release(const std::string& file) {
  const os::Fd fd(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  char begin[kBegin.size()];
  if (!fd.valid() || ::pread(fd.get(), begin, sizeof begin, 0) != sizeof begin ||
      std::string_view(begin, sizeof begin) != kBegin) {
    return std::optional<Release>();
  }
  const std::string text = TRY(os::read_file(AT_FDCWD, os::fd_path(fd.get()), kLongest));
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return plain_error(kRead, file, "it is damaged: no JSON");
  if (json["release"] != 1) {
    return plain_error(kRead, file, "it is of a newer version", "take a newer rootlet");
  }
  Release release;
  release.file = real_path(file);
  release.digest =
      seal_text(sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
  release.name = text_at(json, "name");
  release.version = text_at(json, "version");
  release.tools = TRY(pins_at(json, "tools", file));
  release.data = TRY(pins_at(json, "data", file));
  return std::optional(std::move(release));
}

// One pin a line, so that two releases are easily compared.
std::string write_release(const Release& release) {
  std::string text = std::string(kBegin) + "1,\n \"name\":" + dumped(release.name) +
                     ",\n \"version\":" + dumped(release.version);
  for (const auto& [key, pins] :
       {std::pair{"tools", &release.tools}, std::pair{"data", &release.data}}) {
    text += std::string(",\n \"") + key + "\":[";
    const Json list = pins_as_json(*pins);
    for (std::size_t i = 0; i < list.size(); ++i)
      text += (i > 0 ? ",\n  " : "\n  ") + dumped(list[i]);
    text += "]";
  }
  return text + "}\n";
}

Result<DataSearch> find_pin(const Release::Pin& pin, const Release& release,
                            const std::vector<std::string>& given, const Caller& caller) {
  Policy::Data wanted;
  wanted.name = pin.name;
  wanted.digest = pin.digest;
  wanted.size = pin.size;
  return find_data(wanted, data_places(given, caller, release.file));
}

Error pin_is_missing(const Release::Pin& pin, const Release& release, const DataSearch& search) {
  Error error = plain_error("find what the release pins", pin.name + " (" + pin.digest + ")",
                            "no place has it: " + search.text());
  error.hint = "put it beside " + release.file +
               ", or name its directory: " + option_text("data-path") +
               "=DIR; `rootlet data add FILE`";
  return error;
}

}  // namespace rootlet
