// SPDX-License-Identifier: MIT
#include "launcher/exec_line.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

namespace rootlet {
namespace {

constexpr std::size_t kMostWords = 200;

bool is_control(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return byte < 0x20 || byte == 0x7f;
}

struct Word {
  std::string text;
  bool quoted = false;
};

// Splits at blanks; inside of double quotes a backslash escapes " ` $ and \.
// Nothing: a quote is open at the end, or there are too many words.
std::optional<std::vector<Word>> split(const std::string& line) {
  std::vector<Word> words;
  std::size_t at = 0;
  while (at < line.size()) {
    if (line[at] == ' ') {
      ++at;
      continue;
    }
    if (words.size() == kMostWords) return std::nullopt;
    Word word;
    bool open = false;
    for (; at < line.size() && (open || line[at] != ' '); ++at) {
      if (line[at] == '"') {
        open = !open;
        word.quoted = true;
      } else if (open && line[at] == '\\' && at + 1 < line.size()) {
        word.text += line[++at];
      } else {
        word.text += line[at];
      }
    }
    if (open) return std::nullopt;
    words.push_back(std::move(word));
  }
  return words;
}

// Field codes of a word: 0 it has none or known ones, 1 deprecated ones (to be
// left out without a word), 2 unknown ones.
int judge_codes(const std::string& word) {
  int worst = 0;
  for (std::size_t at = word.find('%'); at != word.npos; at = word.find('%', at + 2)) {
    const char code = at + 1 < word.size() ? word[at + 1] : '\0';
    constexpr std::string_view kKnown = "%fFuUick", kOld = "dDnNvm";
    if (code != '\0' && kKnown.find(code) != kKnown.npos) continue;
    worst = std::max(worst, code != '\0' && kOld.find(code) != kOld.npos ? 1 : 2);
    if (at + 2 > word.size()) break;
  }
  return worst;
}

// As one word of the line, whatever it holds.
std::string quoted(const std::string& text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!text.empty() && text.find_first_not_of(kPlain) == text.npos) return text;
  std::string out = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '`' || letter == '$' || letter == '\\') out += '\\';
    out += letter;
  }
  return out + "\"";
}

}  // namespace

std::string escaped_value(const std::string& text) {
  std::string out;
  for (const char letter : text) {
    if (letter == '\\') out += '\\';
    out += letter;
  }
  // A blank at either end would be cut off.
  if (out.starts_with(' ')) out.replace(0, 1, "\\s");
  if (out.ends_with(' ')) out.replace(out.size() - 1, 1, "\\s");
  return out;
}

std::string unescaped_value(const std::string& value) {
  std::string out;
  for (std::size_t at = 0; at < value.size(); ++at) {
    if (value[at] != '\\' || at + 1 == value.size()) {
      out += value[at];
      continue;
    }
    switch (value[++at]) {
      case 's': out += ' '; break;
      case 'n': out += '\n'; break;
      case 't': out += '\t'; break;
      case 'r': out += '\r'; break;
      case '\\': out += '\\'; break;
      default: (out += '\\') += value[at];  // an escape of the quoting rule
    }
  }
  return out;
}

std::string exec_with_program(const std::string& value, const std::string& program,
                              std::string& why) {
  std::string line;
  for (const char letter : program) {
    line += letter;
    if (letter == '%') line += '%';
  }
  line = quoted(line);
  const std::string plain = unescaped_value(value);
  auto words = split(plain);
  if (std::any_of(plain.begin(), plain.end(), is_control)) {
    why = "a control character";
  } else if (!words) {
    why = "a quote that does not end";
  } else {
    for (std::size_t i = 1; i < words->size(); ++i) {
      const Word& word = (*words)[i];
      const int codes = judge_codes(word.text);
      if (codes == 2) why = "an unknown field code, " + word.text;
      if (codes == 0) line += " " + quoted(word.text);
    }
  }
  return escaped_value(line);
}

}  // namespace rootlet
