// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>

// The little that /AppRun needs in place of a C++ library: it is built
// against musl, for which there is none. Memory is never given back; the
// program ends in an execve(2).
namespace apprun {

// A list of words that grows, always ended by a null pointer: an argv.
class Words {
 public:
  void add(const char* word);
  void add_all(const char* const* words);
  size_t count() const { return count_; }
  const char* operator[](size_t index) const { return words_[index]; }
  const char* const* begin() const { return words_; }
  const char* const* end() const { return words_ + count_; }
  char** argv() const;

 private:
  const char** words_ = nullptr;
  size_t count_ = 0;
  size_t room_ = 0;
};

// The parts, one after the other.
const char* join(const char* a, const char* b, const char* c = "", const char* d = "");
const char* copy(const char* bytes, size_t length);

const char* base_name(const char* path);

// Sets "NAME=value" in an environment, in the place of an older value.
void set_variable(Words& environment, const char* entry);
const char* variable(const Words& environment, const char* name, const char* absent = "");

// Prints "rootlet: ACTION: SUBJECT: REASON (ERRNO)" and a hint, and ends the
// program. The reason is the errno's own where none is given. 125: our
// failure; 126: cannot be executed; 127: not there.
struct Failure {
  const char* action;
  const char* subject = "";
  const char* reason = nullptr;
  int code = 0;
  const char* hint = nullptr;
  int status = 125;
};
[[noreturn]] void fail(const Failure& failure);

void print(int fd, const char* text);

}  // namespace apprun
