// SPDX-License-Identifier: MIT
#include "runtime/rules/json_reader.hpp"

#include <algorithm>

#include "runtime/base/text.hpp"

namespace rootlet {

void JsonReader::fail(std::string_view reason, std::string_view what) {
  if (failed()) return;
  const auto lines = std::count(text_.begin(), text_.begin() + static_cast<long>(at_), '\n');
  reason_ = join({"line ", digits(static_cast<unsigned long>(lines) + 1), ": ", reason, what});
  at_ = text_.size();
}

std::string JsonReader::trouble() const { return reason_; }

char JsonReader::next() {
  while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string::npos) {
    ++at_;
  }
  return at_ < text_.size() ? text_[at_] : '\0';
}

void JsonReader::take(char wanted) {
  if (next() != wanted || at_ == text_.size()) {
    return fail("missing: ", {&wanted, 1});
  }
  ++at_;
}

void JsonReader::open(char bracket) {
  take(bracket);
  if (++depth_ > kDeepest) fail("it is nested too deeply");
  first_ = true;
}

bool JsonReader::more(char bracket) {
  if (failed()) return false;
  if (next() == bracket) {
    ++at_;
    --depth_;
    first_ = false;  // of the one around it, this was an item
    return false;
  }
  if (!first_) take(',');
  first_ = false;
  return !failed();
}

int JsonReader::field(std::string_view words, std::string_view skipped) {
  while (more('}')) {
    const std::string key = text();
    take(':');
    if (failed()) return 0;
    int place = 1;
    for (std::string_view rest = words; !rest.empty(); ++place) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      if (rest.substr(0, end) == key) return place;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (skipped.find(key) == std::string_view::npos) fail("unknown: ", key);
    skip();
  }
  return 0;
}

// \uXXXX of one unit alone: pairs of them are no character of a path that we
// wrote, which is UTF-8.
void JsonReader::escape(std::string& out) {
  const char c = at_ < text_.size() ? text_[at_++] : '\0';
  constexpr std::string_view kMarks = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
  if (c == 'u' && text_.size() - at_ >= 4) {
    unsigned code = 0;
    for (int i = 0; i < 4; ++i) {
      const std::size_t digit =
          std::string_view("0123456789abcdef")
              .find(static_cast<char>(text_[at_] | (text_[at_] >= 'A' ? 0x20 : 0)));
      if (digit == std::string::npos) return fail("\\u needs four hexadecimal digits");
      code = code * 16 + static_cast<unsigned>(digit);
      ++at_;
    }
    if (code == 0 || (code >= 0xd800 && code < 0xe000)) return fail("\\u is no character here");
    if (code >= 0x800) out += static_cast<char>(0xe0 | (code >> 12));
    if (code >= 0x80) {
      out += static_cast<char>(code >= 0x800 ? 0x80 | ((code >> 6) & 0x3f) : 0xc0 | (code >> 6));
      code = 0x80 | (code & 0x3f);
    }
    out += static_cast<char>(code);
    return;
  }
  const std::size_t known = kMarks.find(c);
  if (c == '\0' || known == std::string_view::npos) return fail("an escape that JSON has not");
  out += kMeant[known];
}

std::string JsonReader::text() {
  std::string out;
  take('"');
  while (!failed()) {
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    if (static_cast<unsigned char>(c) < 0x20) fail("a text does not end");
    if (out.size() > kLongestText) fail("a text is too long");
    if (failed()) break;
    ++at_;
    if (c == '"') return out;
    if (c == '\\') {
      escape(out);
    } else {
      out += c;
    }
  }
  return {};
}

std::uint64_t JsonReader::number(std::uint64_t most) {
  std::uint64_t value = 0;
  if (next() < '0' || next() > '9') fail("a number is missing");
  while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
    value = value * 10 + static_cast<std::uint64_t>(text_[at_++] - '0');
    if (value > most) fail("a number is too large");
  }
  return failed() ? 0 : value;
}

void JsonReader::word(std::string_view wanted) {
  if (text_.substr(at_, wanted.size()) != wanted) return fail("a value is missing");
  at_ += wanted.size();
}

bool JsonReader::truth() {
  const bool yes = next() == 't';
  word(yes ? "true" : "false");
  return yes;
}

void JsonReader::skip() {
  const char c = next();
  if (c == '"') {
    (void)text();
  } else if (c == '{' || c == '[') {
    const char end = c == '{' ? '}' : ']';
    open(c);
    while (more(end)) {
      if (c == '{') {
        (void)text();
        take(':');
      }
      skip();
    }
  } else if (c == 't' || c == 'f') {
    (void)truth();
  } else {
    (void)number(UINT64_MAX / 16);
  }
}

void JsonReader::end() {
  if (!failed() && next() != '\0') fail("something follows the end");
}

}  // namespace rootlet
