// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rootlet {

// The text as a JSON string, with its quotes. Bytes that are no UTF-8 (names of
// files may hold any) become U+FFFD: a reader must never fail on a line of ours.
std::string json_string(std::string_view text);

// JSON, written front to back and without blanks: one value, usually an object.
//
//   JsonText json;
//   json.object().text("event", "exit").number("code", 0);
//   json.array("argv").text("ls").close();
//   json.close();
//
// Inside an object every value has a name, inside an array none has.
class JsonText {
 public:
  JsonText& object(std::string_view name = {}) { return open(name, '{'); }
  JsonText& array(std::string_view name = {}) { return open(name, '['); }
  JsonText& close();  // the innermost object or array

  JsonText& text(std::string_view value) { return raw({}, json_string(value)); }
  JsonText& text(std::string_view name, std::string_view value) {
    return raw(name, json_string(value));
  }
  JsonText& number(std::string_view name, std::int64_t value) {
    return raw(name, std::to_string(value));
  }
  JsonText& truth(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
  JsonText& null(std::string_view name) { return raw(name, "null"); }

  const std::string& str() const { return out_; }

 private:
  JsonText& raw(std::string_view name, std::string_view value);
  JsonText& open(std::string_view name, char bracket);

  std::string out_;
  std::string closing_;  // what is open, as the brackets that will close it
};

}  // namespace rootlet
