// SPDX-License-Identifier: MIT
#include "runtime/run/record_facts.hpp"

#include <sched.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>

#include "runtime/run/environment.hpp"

namespace rootlet {
namespace {

// What is known to change results: the language, the clock's zone, how many threads.
constexpr std::array kTelling = {
    "PATH",     "LANG",       "LANGUAGE",          "LC_*",       "TZ", "OMP_*", "MKL_*",
    "*THREADS", "*_NUM_PROC", "SOURCE_DATE_EPOCH", "PYTHONHASH*"};
constexpr std::array kSecret = {"*TOKEN*", "*SECRET*", "*PASS*",  "*KEY*",
                                "*CRED*",  "*AUTH*",   "*COOKIE*"};

template <std::size_t N>
bool matches_any(const std::array<const char*, N>& patterns, std::string_view name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const char* pattern) { return glob_matches(pattern, name); });
}

std::string name_of(const std::string& variable) { return variable.substr(0, variable.find('=')); }

bool is_secret(std::string name) {
  for (char& c : name) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return matches_any(kSecret, name);
}

// Of a file in the image's `.rootlet`, as text.
std::string kept_text(Source& source, std::string_view path) {
  return source.reader()(std::string(path)).value_or("");
}

void tell_image(JsonText& json, const char* role, Source& source, const RunImage* image) {
  constexpr const char* kWays[] = {"served", "memory", "directory", "kernel"};
  json.object().text("role", role).text("file", source.file);
  if (source.image) {
    const Seal* seal = source.image->seal();
    json.number("offset", static_cast<std::int64_t>(source.payload.offset));
    json.number("length", static_cast<std::int64_t>(source.payload.length));
    json.text_or_null("seal", seal != nullptr ? seal_text(seal->digest) : "");
    const std::string text = kept_text(source, kDigestPath);
    json.text_or_null("content", text.substr(0, text.find('\n')));
  }
  if (image != nullptr) {
    json.text("reached", kWays[static_cast<int>(image->way)]).text("path", image->target);
    json.text("part", image->part).text("name", image->data);
  }
  json.close();
}

std::string processor_name() {
  constexpr std::string_view kName = "model name\t: ";
  const auto text = os::read_file(AT_FDCWD, "/proc/cpuinfo", 4096);
  const std::string all = text.ok() ? text.value() : "";
  const std::size_t at = all.find(kName);
  if (at == std::string::npos) return {};
  return all.substr(at + kName.size(), all.find('\n', at) - at - kName.size());
}

// From the days since 1970 to a date of the Gregorian calendar, in eras of 400
// years that begin in March; gmtime(3) would bring the tables of time zones.
struct Date {
  long year, month, day;
};
Date date_of(long days) {
  days += 719468;  // from 0000-03-01
  const long era = days / 146097, of_era = days % 146097;
  const long year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const long of_year = of_era - (365 * year + year / 4 - year / 100);
  const long month = (5 * of_year + 2) / 153;
  return {year + era * 400 + (month >= 10 ? 1 : 0), month < 10 ? month + 3 : month - 9,
          of_year - (153 * month + 2) / 5 + 1};
}

// Writes a number over the last characters before `end`.
void put(std::string& text, std::size_t end, long number, int width) {
  for (; width > 0; --width, number /= 10) text[--end] = static_cast<char>('0' + number % 10);
}

}  // namespace

std::string utc_text(const timespec& time) {
  constexpr long kDay = 86400;
  const Date date = date_of(time.tv_sec / kDay);
  const long second = time.tv_sec % kDay;
  std::string text = "yyyy-mm-ddThh:mm:ss.uuuuuuZ";
  put(text, 4, date.year, 4);
  put(text, 7, date.month, 2);
  put(text, 10, date.day, 2);
  put(text, 13, second / 3600, 2);
  put(text, 16, second / 60 % 60, 2);
  put(text, 19, second % 60, 2);
  put(text, 26, time.tv_nsec / 1000, 6);
  return text;
}

void tell_images(JsonText& json, const RunRecord::Facts& facts) {
  json.array("images");
  const bool first = facts.root.image && !facts.images.empty();
  tell_image(json, "root", facts.root, first ? &facts.images.front() : nullptr);
  for (const RunImage& image : facts.images) {
    if (image.source.get() == &facts.root) continue;
    const bool shown = !image.target.empty();
    tell_image(json,
               !shown               ? "base"
               : image.data.empty() ? "attached"
                                    : "data",
               *image.source, &image);
  }
  json.close();
}

void tell_tool(JsonText& json, const RunRecord::Facts& facts) {
  const Policy& policy = facts.subject.policy;
  json.object("tool").text("name", policy.name).text("version", policy.version);
  json.text("licence", policy.licence).text("url", policy.url).close();
  const std::string compiled = kept_text(facts.root, kPolicyPath);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(compiled.data());
  json.text_or_null("policy", compiled.empty() ? "" : seal_text(sha256({bytes, compiled.size()})));
  json.text("called", facts.caller.argv0).texts("arguments", facts.subject.arguments);
  json.text_or_null("directory", facts.caller.cwd.value_or("")).text("home", facts.caller.home);
  json.text_or_null("exec", facts.options.exec.value_or(""));
  if (facts.plan == nullptr) return;
  json.text("program", facts.plan->program).texts("argv", facts.plan->argv);
  json.raw("plan", facts.plan->json(false));
}

void tell_options(JsonText& json, const Options& options) {
  constexpr const char* kOrigins[] = {"command line", "environment", "user file", "site file",
                                      "policy"};
  json.array("options");
  for (const Setting& setting : options.given) {
    json.object().text("name", setting.name);
    const bool hidden = setting.name == "env" && is_secret(name_of(setting.value));
    json.text("value", hidden ? name_of(setting.value) + "=" : setting.value);
    if (hidden) json.truth("hidden", true);
    json.text("from", kOrigins[static_cast<int>(setting.origin)]).close();
  }
  json.close();
}

void tell_environment(JsonText& json, const RunRecord::Facts& facts) {
  if (facts.plan == nullptr) return;
  const auto set_here = [&](const std::string& name) {
    for (const auto* list : {&facts.options.env, &facts.subject.policy.env}) {
      for (const std::string& entry : *list) {
        if (name_of(entry) == name) return true;
      }
    }
    return false;
  };
  json.object("environment");
  for (const std::string& entry : facts.plan->env) {
    const std::string name = name_of(entry);
    if (!set_here(name) && !matches_any(kTelling, name)) continue;
    if (is_secret(name)) {
      json.null(name.c_str());
    } else {
      json.text(name.c_str(), entry.substr(std::min(entry.size(), name.size() + 1)));
    }
  }
  json.close();
}

void tell_host(JsonText& json, const Caller& caller) {
  utsname system{};
  ::uname(&system);
  cpu_set_t processors{};
  ::sched_getaffinity(0, sizeof processors, &processors);
  json.object("host").text("name", system.nodename).text("user", caller.user);
  json.text("kernel", system.release).text("machine", system.machine);
  json.text("processor", processor_name()).number("processors", CPU_COUNT(&processors)).close();
}

}  // namespace rootlet
