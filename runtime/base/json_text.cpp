// SPDX-License-Identifier: MIT
#include "runtime/base/json_text.hpp"

namespace rootlet {
namespace {

// How many bytes the UTF-8 sequence at the front has; 0 where there is none.
// Overlong forms, surrogates and what lies beyond U+10FFFF are none (RFC 3629).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) >= 0xa0) ||
      (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) >= 0x90)) {
    return 0;
  }
  return length;
}

}  // namespace

std::string json_string(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "\"";
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto byte = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      out += "\\ufffd";
    } else if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text[0];
    } else if (byte == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {  // DEL too: a terminal may show the line
      out += "\\u00";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out + '"';
}

JsonText& JsonText::raw(const char* name, std::string_view value) {
  if (!out_.empty() && out_.back() != '{' && out_.back() != '[') out_ += ',';
  if (*name != '\0') {
    out_ += json_string(name);
    out_ += ':';
  }
  out_ += value;
  return *this;
}

JsonText& JsonText::text(std::string_view value) { return raw("", json_string(value)); }

JsonText& JsonText::text(const char* name, const std::string& value) {
  return raw(name, json_string(value));
}

JsonText& JsonText::text_or_null(const char* name, const std::string& value) {
  return value.empty() ? null(name) : text(name, value);
}

JsonText& JsonText::texts(const char* name, std::span<const std::string> list) {
  array(name);
  for (const std::string& value : list) text(value);
  return close();
}

JsonText& JsonText::number(const char* name, std::int64_t value) {
  return raw(name, std::to_string(value));
}

JsonText& JsonText::truth(const char* name, bool value) {
  return raw(name, value ? "true" : "false");
}

JsonText& JsonText::null(const char* name) { return raw(name, "null"); }

JsonText& JsonText::open(const char* name, char bracket) {
  raw(name, std::string_view(&bracket, 1));
  closing_ += bracket == '{' ? '}' : ']';
  return *this;
}

JsonText& JsonText::close() {
  out_ += closing_.back();
  closing_.pop_back();
  return *this;
}

}  // namespace rootlet
