// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
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
  JsonText& object(const char* name = "") { return open(name, '{'); }
  JsonText& array(const char* name = "") { return open(name, '['); }
  JsonText& close();  // the innermost object or array

  JsonText& text(std::string_view value);
  JsonText& text(const char* name, const std::string& value);
  // null where there is no text.
  JsonText& text_or_null(const char* name, const std::string& value);
  JsonText& texts(const char* name, std::span<const std::string> list);  // an array
  JsonText& number(const char* name, std::int64_t value);
  JsonText& truth(const char* name, bool value);
  JsonText& null(const char* name);
  // A value that is JSON already.
  JsonText& raw(const char* name, std::string_view value);

  const std::string& str() const { return out_; }

 private:
  JsonText& open(const char* name, char bracket);

  std::string out_;
  std::string closing_;  // what is open, as the brackets that will close it
};

}  // namespace rootlet
