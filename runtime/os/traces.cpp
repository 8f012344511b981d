// SPDX-License-Identifier: MIT
#include "runtime/os/traces.hpp"

#include <sys/prctl.h>

#include <cstdlib>
#include <cstring>

#include "runtime/os/fd.hpp"

namespace rootlet::os {
namespace {

std::vector<std::vector<std::string>*>& copies() {
  static std::vector<std::vector<std::string>*> all;
  return all;
}

// Of memory that the kernel shows to others.
struct Shown {
  char* start = nullptr;
  char* end = nullptr;
};
Shown known[2];  // the command line, the environment

// Texts that lie one behind the other, from `start` on if it is given. Not known where
// one lies elsewhere: somebody has changed them.
Shown stretch_of(char** texts, char* start) {
  Shown stretch{start != nullptr ? start : *texts, start != nullptr ? start : *texts};
  for (; *texts != nullptr; ++texts) {
    if (*texts != stretch.end) return {};
    stretch.end += std::strlen(*texts) + 1;
  }
  return stretch;
}

void wipe(const Shown& stretch) {
  std::memset(stretch.start, 0, static_cast<std::size_t>(stretch.end - stretch.start));
}

}  // namespace

// The kernel puts them on the stack in this order, without a gap (fs/exec.c and
// fs/binfmt_elf.c, create_elf_tables()).
void know_command_line(int count, char** words, char** environment) {
  if (count < 1) return;
  known[0] = stretch_of(words, nullptr);
  known[1] = known[0].start == nullptr ? Shown() : stretch_of(environment, known[0].end);
}

void wipe_too(std::vector<std::string>& texts) { copies().push_back(&texts); }

void wipe_command_line(bool environment) {
  if (known[1].start != nullptr) {
    wipe(known[0]);
    if (environment) wipe(known[1]);
    return;
  }
  auto text = read_file(AT_FDCWD, "/proc/self/stat", 4096);
  if (!text.ok()) return;
  // Fields 48 to 51: arg_start, arg_end, env_start, env_end (proc(5), Linux
  // 3.5); counted behind the name, which may hold blanks.
  std::size_t at = text.value().rfind(')');
  for (int field = 2; field < 48 && at != std::string::npos; ++field) {
    at = text.value().find(' ', at + 1);
  }
  if (at == std::string::npos) return;
  char* next = text.value().data() + at;
  for (int part = 0; part < (environment ? 2 : 1); ++part) {
    const unsigned long start = std::strtoul(next, &next, 10);
    const unsigned long stop = std::strtoul(next, &next, 10);
    if (start != 0 && stop > start) std::memset(reinterpret_cast<void*>(start), 0, stop - start);
  }
}

void wipe_traces(const char* name) {
  ::prctl(PR_SET_NAME, name);
  for (std::vector<std::string>* texts : copies()) {
    for (std::string& text : *texts) std::memset(text.data(), 0, text.size());
  }
  wipe_command_line(true);
}

}  // namespace rootlet::os
