// SPDX-License-Identifier: MIT
#include "runtime/apprun/text.hpp"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace apprun {
namespace {

void* memory(void* old, size_t size) {
  void* now = realloc(old, size);
  if (now == nullptr) {
    print(STDERR_FILENO, "rootlet: allocate memory: Cannot allocate memory (ENOMEM)\n");
    _exit(125);
  }
  return now;
}

const char* errno_name(int code) {
  switch (code) {
    case EACCES: return "EACCES";
    case E2BIG: return "E2BIG";
    case EIO: return "EIO";
    case EISDIR: return "EISDIR";
    case ELOOP: return "ELOOP";
    case EMFILE: return "EMFILE";
    case ENAMETOOLONG: return "ENAMETOOLONG";
    case ENOENT: return "ENOENT";
    case ENOEXEC: return "ENOEXEC";
    case ENOMEM: return "ENOMEM";
    case ENOTDIR: return "ENOTDIR";
    case EPERM: return "EPERM";
    case ETXTBSY: return "ETXTBSY";
    case EXDEV: return "EXDEV";
    default: return nullptr;
  }
}

}  // namespace

void Words::add(const char* word) {
  if (count_ + 1 >= room_) {
    room_ = room_ == 0 ? 16 : 2 * room_;
    words_ = static_cast<const char**>(memory(words_, room_ * sizeof *words_));
  }
  words_[count_++] = word;
  words_[count_] = nullptr;
}

void Words::add_all(const char* const* words) {
  while (words != nullptr && *words != nullptr) add(*words++);
}

char** Words::argv() const { return const_cast<char**>(words_); }

const char* join(const char* a, const char* b, const char* c, const char* d) {
  char* out =
      static_cast<char*>(memory(nullptr, strlen(a) + strlen(b) + strlen(c) + strlen(d) + 1));
  strcpy(out, a);
  strcat(out, b);
  strcat(out, c);
  return strcat(out, d);
}

const char* copy(const char* bytes, size_t length) {
  char* out = static_cast<char*>(memory(nullptr, length + 1));
  memcpy(out, bytes, length);
  out[length] = '\0';
  return out;
}

const char* base_name(const char* path) {
  const char* slash = strrchr(path, '/');
  return slash == nullptr ? path : slash + 1;
}

void set_variable(Words& environment, const char* entry) {
  const size_t name = strcspn(entry, "=") + 1;
  char** all = environment.argv();
  for (size_t i = 0; i < environment.count(); ++i) {
    if (strncmp(all[i], entry, name) == 0) {
      all[i] = const_cast<char*>(entry);
      return;
    }
  }
  environment.add(entry);
}

const char* variable(const Words& environment, const char* name, const char* absent) {
  const size_t length = strlen(name);
  for (const char* entry : environment) {
    if (strncmp(entry, name, length) == 0 && entry[length] == '=') return entry + length + 1;
  }
  return absent;
}

void print(int fd, const char* text) {
  if (write(fd, text, strlen(text)) < 0) return;  // closed: the exit status still tells
}

void fail(const Failure& failure) {
  const char* text = join("rootlet: ", failure.action);
  if (*failure.subject != '\0') text = join(text, ": ", failure.subject);
  text = join(text, ": ", failure.reason != nullptr ? failure.reason : strerror(failure.code));
  const char* name = errno_name(failure.code);
  if (name != nullptr) text = join(join(text, " ("), name, ")");
  if (failure.hint != nullptr) text = join(text, "\nhint: ", failure.hint);
  print(STDERR_FILENO, join(text, "\n"));
  _exit(failure.status);
}

}  // namespace apprun
