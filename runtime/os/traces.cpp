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

}  // namespace

void wipe_too(std::vector<std::string>& texts) { copies().push_back(&texts); }

void wipe_command_line(bool environment) {
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
