// SPDX-License-Identifier: MIT
#include "runtime/run/power.hpp"

#include <sys/sysinfo.h>

namespace rootlet {
namespace {

using Kind = Power::Kind;

// An option that is missing here fails a unit test, and so does one that an
// image could widen a run by (authority_test.cpp).
struct Scaled {
  const char* option;
  Power power;
};
constexpr Scaled kScaled[] = {
    {"profile", {Kind::words, "isolated contained compat", "contained"}},
    {"net", {Kind::words, "none private host", "none", "host"}},
    {"ipc", {Kind::words, "private host", "private", "host"}},
    {"pid", {Kind::words, "private host", "private"}},
    {"uts", {Kind::words, "private host", "private", "host"}},
    {"cgroup", {Kind::words, "private host", "private"}},
    {"user-namespaces", {Kind::words, "deny allow", "allow"}},
    {"time", {Kind::words, "private host", "host"}},
    {"overlay", {Kind::words, "none tmpfs DIR", "tmpfs"}},
    {"home", {Kind::words, "none DIR", "none", "DIR"}},
    {"seccomp", {Kind::words, "default none DIR", "default"}},
    {"tmp", {Kind::amount, "", "25%"}},
};

struct Named {
  Kind kind;
  const char* options;  // between blanks
};
constexpr Named kNamed[] = {
    {Kind::gives,
     " bind input output bind-args veth uid-map gid-map env-file pass-env attach data-path record "
     "nv "
     "rocm gui fake-root "},
    {Kind::amount, " memory cpus pids file-size timeout "},
    {Kind::harmless, " writable hostname cwd env clean-env exec verbose "},
    {Kind::narrows, " rules "},
    {Kind::callers,
     " record-input record-output record-private image mount keep cache server-cache shell pass-fd "
     "status-fd "
     "status die-with-parent no-isolation "
     "best-effort "
     "dry-run doctor "
     "inspect version help "},
};
constexpr const char* kAdding =
    " bind input output writable env env-file pass-env attach data-path pass-fd "
    "record-input record-output ";

// The word as a whole: "env" is also a part of "env-file".
bool names(const char* options, std::string_view option) {
  const std::string_view all(options);
  for (std::size_t at = all.find(option); at != std::string_view::npos;
       at = all.find(option, at + 1)) {
    if (at > 0 && all[at - 1] == ' ' && all[at + option.size()] == ' ') return true;
  }
  return false;
}

// The place of a word on a scale. What is not on it is the last rung: a path
// where "DIR" stands, or something that nobody has judged yet.
std::size_t rung(std::string_view scale, std::string_view value) {
  value = value.substr(0, value.find(':'));
  std::size_t at = 0;
  while (true) {
    const std::size_t end = scale.find(' ');
    if (scale.substr(0, end) == value || end == std::string_view::npos) return at;
    scale.remove_prefix(end + 1);
    ++at;
  }
}

double memory_percent() {
  struct sysinfo memory {};
  ::sysinfo(&memory);
  return static_cast<double>(memory.totalram) * memory.mem_unit / 100;
}

// "1.5", "64k", "2G", "10%" (of memory). Without strtod(), which the stub
// does without.
double amount(std::string_view text) {
  double number = 0, place = 1;
  bool fraction = false;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '.' && !fraction) {
      fraction = true;
    } else if (text[at] >= '0' && text[at] <= '9') {
      number = number * 10 + (text[at] - '0');
      if (fraction) place *= 10;
    } else {
      break;
    }
  }
  number /= place;
  switch (at < text.size() ? text[at] | 0x20 : 0) {
    case 'k': return number * 1024;
    case 'm': return number * 1024 * 1024;
    case 'g': return number * 1024 * 1024 * 1024;
    case 't': return number * 1024 * 1024 * 1024 * 1024;
    case '%': return number * memory_percent();
    default: return number;
  }
}

}  // namespace

Power power_of(std::string_view option) {
  for (const Scaled& scaled : kScaled) {
    if (scaled.option == option) return scaled.power;
  }
  for (const Named& named : kNamed) {
    if (names(named.options, option)) return {named.kind};
  }
  return {};
}

bool adds_up(std::string_view option) { return names(kAdding, option); }

bool wider(const Power& power, std::string_view value, std::string_view bound) {
  switch (power.kind) {
    case Kind::harmless: return false;
    case Kind::narrows: return value == "none";
    case Kind::words: return rung(power.scale, value) > rung(power.scale, bound);
    case Kind::amount: {
      // A place on the host, instead of a size: tmp=DIR.
      if (!value.empty() && (value[0] < '0' || value[0] > '9')) return true;
      return !bound.empty() && amount(value) > amount(bound);
    }
    case Kind::unknown:
    case Kind::gives:
    case Kind::callers: return true;
  }
  return true;
}

}  // namespace rootlet
