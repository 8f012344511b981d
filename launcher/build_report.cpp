// SPDX-License-Identifier: MIT
#include "launcher/build_report.hpp"

#include <algorithm>
#include <cstdio>

namespace rootlet {
namespace {

constexpr std::chrono::milliseconds kBetween{100};
constexpr std::size_t kSubject = 40;  // columns for a package's or a layer's name

double mib(std::uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

// "12.3"
std::string in_mib(std::uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", mib(bytes));
  return text;
}

std::string amount(const packaging::Progress& progress) {
  const auto number = [&](std::uint64_t value) {
    return progress.bytes ? in_mib(value) : std::to_string(value);
  };
  const std::string unit = progress.bytes ? " MiB" : "";
  if (progress.total == 0) return progress.done == 0 ? "" : number(progress.done) + unit;
  return number(progress.done) + " of " + number(progress.total) + unit;
}

std::string clock(double seconds) {
  const auto whole = static_cast<unsigned>(seconds + 0.5);
  const std::string rest = std::to_string(whole % 60);
  return std::to_string(whole / 60) + (rest.size() < 2 ? ":0" : ":") + rest;
}

// Only once there is something to judge by.
std::string left(const packaging::Progress& progress, double seconds) {
  if (progress.total == 0 || progress.done == 0 || seconds < 2) return "";
  const double part = static_cast<double>(progress.done) / static_cast<double>(progress.total);
  if (part >= 1) return "";
  return ", about " + clock(seconds / part - seconds) + " left";
}

std::string isolation_of(const Policy& policy) {
  std::string text;
  for (const auto& [name, value] : policy.isolation) {
    text += (text.empty() ? "" : ", ") + name + (value.empty() ? "" : "=" + value);
  }
  return text;
}

std::string commands_of(const Policy& policy) {
  constexpr std::size_t kShown = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, policy.commands.size()); ++i) {
    text += (i == 0 ? "" : ", ") + policy.commands[i].first;
  }
  if (policy.commands.size() > kShown) {
    text += " and " + std::to_string(policy.commands.size() - kShown) + " more";
  }
  return text;
}

void line(const char* what, const std::string& text) {
  if (!text.empty()) std::printf("  %-9s %s\n", what, printable(text).c_str());
}

std::string words(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& word : list) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string run_line(const packaging::BuildSummary& summary) {
  const bool plain = summary.output.find('/') == std::string::npos;
  std::string text = (plain ? "./" : "") + summary.output;
  if (summary.policy.dispatch == "argument" && summary.policy.entrypoint.empty()) {
    text += " " + summary.policy.commands.front().first;
  }
  return text;
}

}  // namespace

void BuildProgress::show(const packaging::Progress& progress) {
  const auto now = Clock::now();
  if (progress.what != last_.what) {
    finish();
    began_ = now;
  } else if (now - drawn_ < kBetween) {
    last_ = progress;
    return;
  }
  last_ = progress;
  drawn_ = now;
  draw(progress, false);
}

void BuildProgress::finish() {
  if (!last_.what.empty()) draw(last_, true);
  last_ = {};
}

void BuildProgress::draw(const packaging::Progress& progress, bool over) const {
  const double seconds = std::chrono::duration<double>(Clock::now() - began_).count();
  std::string text = progress.what;
  if (!over && !progress.subject.empty()) {
    text += " " + printable(progress.subject.substr(0, kSubject));
  }
  if (!over && progress.total != 0) {
    text += " " + std::to_string(100 * progress.done / progress.total) + " %";
  }
  packaging::Progress shown = progress;
  if (over) shown.total = 0, shown.done = std::max(progress.done, progress.total);
  const std::string size = amount(shown);
  text += ": " + (size.empty() ? "" : size + ", ") + clock(seconds);
  if (!over) text += left(progress, seconds);
  std::fprintf(stderr, "\r\033[K%s%s", text.c_str(), over ? "\n" : "");
}

void print_summary(const packaging::BuildSummary& summary, double seconds) {
  for (const std::string& note : summary.notes) {
    std::fprintf(stderr, "note: %s\n", printable(note).c_str());
  }
  for (const std::string& finding : packaging::findings_text(summary.findings, 3)) {
    std::fprintf(stderr, "warning: %s\n", printable(finding).c_str());
  }
  const double ratio =
      summary.content == 0 ? 100.0 : 100.0 * mib(summary.image) / mib(summary.content);
  std::printf("%s: %.1f MiB: %u entries of %.1f MiB, packed to %.0f %%, in %.1f s\n",
              printable(summary.output).c_str(), mib(summary.stub + summary.image), summary.entries,
              mib(summary.content), ratio, seconds);
  if (!summary.digest.empty()) {
    line("digest", summary.digest);
    line("use it",
         "--attach=" + summary.output + ":/WHERE, or: rootlet data add " + summary.output);
    return;
  }
  const Policy& policy = summary.policy;
  line("from", summary.kind);
  line("tool", policy.name + (policy.version.empty() ? "" : " " + policy.version));
  line("entry", policy.own_apprun ? "AppRun of the source" : words(policy.entrypoint));
  line("arguments", words(policy.arguments));
  line("commands", commands_of(policy));
  line("policy", isolation_of(policy));
  for (const auto& [what, text] : summary.facts) line(what.c_str(), text);
  line("run it", run_line(summary));
}

}  // namespace rootlet
