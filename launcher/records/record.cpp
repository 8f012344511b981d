// SPDX-License-Identifier: MIT
#include "launcher/records/record.hpp"

#include "runtime/os/fd.hpp"

namespace rootlet::records {
namespace {

constexpr std::string_view kRead = "read the record";
constexpr std::size_t kLongest = 256u << 20;

// A field that is missing, or is something else, where a list or an object is wanted.
const Json kNoList = Json::array();
const Json kNoObject = Json::object();

}  // namespace

Result<Record> read_record(const std::string& file) {
  auto text = os::read_file(AT_FDCWD, file, kLongest);
  if (!text.ok()) {
    Error error = std::move(text).error();
    error.action = kRead;
    return error;
  }
  Record record{file, Json::parse(text.value(), nullptr, false)};
  if (!record.json.is_object() || number_at(record.json, "record") == 0) {
    return plain_error(kRead, file, "it is no record of a run",
                       "record=FILE makes one: rootlet run --record FILE IMAGE ...");
  }
  if (number_at(record.json, "record") != 1) {
    return plain_error(kRead, file, "it is of a newer version", "take a newer rootlet");
  }
  // From here on an input is an input, however it became known.
  Json inputs = list_at(record.json, "inputs");
  for (const Json& found : list_at(record.json, "found_inputs")) inputs.push_back(found);
  if (!inputs.empty()) record.json["inputs"] = std::move(inputs);
  return record;
}

bool is_complete(const Json& record) { return text_at(record, "state") != "running"; }

bool went_well(const Json& record) {
  return text_at(record, "state") == "ended" && record.contains("code") &&
         record["code"].is_number() && number_at(record, "code") == 0;
}

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::int64_t number_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

const Json& list_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : kNoList;
}

const Json& object_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? *found : kNoObject;
}

std::vector<std::string> texts_at(const Json& object, const char* key) {
  std::vector<std::string> texts;
  for (const Json& one : list_at(object, key)) {
    if (one.is_string()) texts.push_back(one.get<std::string>());
  }
  return texts;
}

std::string ending(const Json& record) {
  if (!is_complete(record)) return "not known: it is going on, or its launcher was killed";
  const Json& error = object_at(record, "error");
  if (!error.empty()) {
    const std::string subject = text_at(error, "subject");
    return "failed (" + std::to_string(number_at(record, "code")) +
           "): " + text_at(error, "action") + (subject.empty() ? "" : ": " + subject) + ": " +
           text_at(error, "reason");
  }
  const std::string signal = text_at(record, "signal_name");
  return signal.empty() ? std::to_string(number_at(record, "code")) : signal;
}

std::string digest_of(const Json& image) {
  const std::string seal = text_at(image, "seal");
  return seal.empty() ? text_at(image, "content") : seal;
}

const Json& root_image(const Json& record) {
  const Json& images = list_at(record, "images");
  return images.empty() || !images.front().is_object() ? kNoObject : images.front();
}

}  // namespace rootlet::records
