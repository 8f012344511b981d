// SPDX-License-Identifier: MIT
#include "launcher/toml_lines.hpp"

namespace rootlet {
namespace {

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

class TomlText {
 public:
  TomlText(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  Result<std::vector<TomlEntry>> read() {
    std::vector<TomlEntry> entries;
    std::string section;
    for (skip(true); !done(); skip(true)) {
      if (take('[')) {
        section = TRY(key());
        if (!take(']')) return wrong("a section is written [NAME]");
      } else {
        TomlEntry entry = TRY(assignment());
        entry.section = section;
        entries.push_back(std::move(entry));
      }
      skip(false);
      if (!done() && peek() != '\n') return wrong("one setting a line");
    }
    return entries;
  }

 private:
  bool done() const { return at_ >= text_.size(); }
  char peek() const { return done() ? '\0' : text_[at_]; }
  bool take(char c) {
    if (peek() != c || done()) return false;
    if (c == '\n') ++line_;
    ++at_;
    return true;
  }
  Error wrong(std::string_view reason) const { return toml_error(file_, line_, reason); }

  // Blanks and comments; line ends too, where they mean nothing.
  void skip(bool lines) {
    while (!done()) {
      if (peek() == '#') {
        while (!done() && peek() != '\n') ++at_;
      } else if (!take(' ') && !take('\t') && !take('\r') && !(lines && take('\n'))) {
        return;
      }
    }
  }

  Result<std::string> key() {
    const std::size_t from = at_;
    while (!done() && is_key_character(peek())) ++at_;
    if (at_ == from) return wrong("a name is missing");
    return std::string(text_.substr(from, at_ - from));
  }

  Result<TomlEntry> assignment() {
    TomlEntry entry;
    entry.line = line_;
    entry.key = TRY(key());
    skip(false);
    if (!take('=')) return wrong("a setting is written NAME = VALUE");
    skip(false);
    if (!take('[')) {
      entry.values.push_back(TRY(value(entry.flag)));
      return entry;
    }
    entry.array = true;
    for (skip(true); !take(']'); skip(true)) {
      entry.values.push_back(TRY(value(entry.flag)));
      skip(true);
      if (!take(',') && peek() != ']')
        return wrong("the values of an array are separated by commas");
    }
    return entry;
  }

  Result<std::string> value(bool& flag) {
    if (peek() == '"' || peek() == '\'') return quoted();
    const std::size_t from = at_;
    while (!done() && (is_key_character(peek()))) ++at_;
    const std::string word(text_.substr(from, at_ - from));
    flag = word == "true" || word == "false";
    if (flag || (!word.empty() && word.find_first_not_of("0123456789") == std::string::npos)) {
      return word;
    }
    return wrong("a value is \"text\", a whole number, true or false");
  }

  Result<std::string> quoted() {
    const char quote = peek();
    std::string out;
    for (++at_; !done() && peek() != quote; ++at_) {
      char c = peek();
      if (c == '\n' || c == '\0') break;
      if (c == '\\' && quote == '"') {
        constexpr std::string_view kEscapes = "\"\\tn";
        constexpr std::string_view kMeanings = "\"\\\t\n";
        ++at_;
        const std::size_t which = kEscapes.find(peek());
        if (done() || which == std::string_view::npos) {
          return wrong(
              "in \"text\" only \\\" \\\\ \\t and \\n are known; 'text' takes all as it is");
        }
        c = kMeanings[which];
      }
      out += c;
    }
    if (!take(quote)) return wrong("the text does not end on its line");
    return out;
  }

  std::string_view text_;
  const std::string& file_;
  std::size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

Error toml_error(const std::string& file, int line, std::string_view reason,
                 std::string_view hint) {
  return plain_error("read the configuration", file + ":" + std::to_string(line), reason, hint);
}

Result<std::vector<TomlEntry>> read_toml(std::string_view text, const std::string& file) {
  return TomlText(text, file).read();
}

}  // namespace rootlet
