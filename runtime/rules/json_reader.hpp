// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rootlet {

// JSON, read front to back by whoever knows what comes next. After the first
// mistake everything is empty and nothing is more, so that a reader asks once,
// at the end:
//
//   json.open('{');
//   while (const int field = json.field("name age", "notes")) {
//     if (field == 1) name = json.text();
//     ...
//   }
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  void open(char bracket);
  // Whether another item of the innermost object or array follows.
  bool more(char bracket);
  std::string text();
  // After open('{'), for each key: its place among
  // these words, from 1 on; 0 behind the last. A key among `skipped` is passed
  // over, any other one is a mistake.
  int field(std::string_view words, std::string_view skipped);

  std::uint64_t number(std::uint64_t most);
  bool truth();
  void skip();  // a value of any kind
  void end();   // nothing but blanks follows

  void fail(std::string_view reason, std::string_view what = {});
  bool failed() const { return !reason_.empty(); }
  std::string trouble() const;  // "line 3: ..."

 private:
  static constexpr int kDeepest = 16;
  static constexpr std::size_t kLongestText = 4096;

  char next();  // the next character that is no blank; 0 at the end
  void take(char wanted);
  void word(std::string_view wanted);
  void escape(std::string& out);

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool first_ = false;  // nothing of the innermost bracket was read yet
  std::string reason_;
};

}  // namespace rootlet
