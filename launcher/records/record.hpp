// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"

namespace rootlet::records {

using Json = nlohmann::json;

// The record of one run, as runtime/run/run_record.cpp writes it and
// docs/record.schema.json describes it.
struct Record {
  std::string file;
  Json json;
};

// Errors: it cannot be read, is no JSON, or no record that this version knows.
Result<Record> read_record(const std::string& file);

// A run that ended, whether well or not. One that did not is going on, or its
// launcher was killed.
bool is_complete(const Json& record);
bool went_well(const Json& record);

// A text; "" where there is none, or something else.
std::string text_at(const Json& object, const char* key);
std::int64_t number_at(const Json& object, const char* key);  // 0 where there is none
// A list, an object; an empty one where there is none.
const Json& list_at(const Json& object, const char* key);
const Json& object_at(const Json& object, const char* key);
std::vector<std::string> texts_at(const Json& object, const char* key);

// How it ended, in words: "0", "SIGKILL", "failed: mount the image: ...".
std::string ending(const Json& record);
// By what an image is known: its seal's digest, else that of its content; or "".
std::string digest_of(const Json& image);
// The image of the root.
const Json& root_image(const Json& record);

}  // namespace rootlet::records
