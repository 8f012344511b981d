// SPDX-License-Identifier: MIT
#include "launcher/rules/page.hpp"

#include <algorithm>
#include <map>

#include "launcher/rules/lines.hpp"
#include "runtime/base/error.hpp"

namespace rootlet::rules {
namespace {

std::string heading(const std::string& text) {
  return "\n" + text + "\n" + std::string(text.size(), '-') + "\n";
}

std::string otherwise(const Rules& rules) {
  switch (rules.action) {
    case Action::deny: return "is refused with " + rules.error.name;
    case Action::kill: return "ends the run";
    case Action::log: break;
  }
  return "is allowed, and told (log)";
}

std::string runs_of(const Rules& rules) {
  std::string text = heading("Where the rules come from");
  if (rules.runs.empty()) text += "  no run: they were written by hand\n";
  for (const Run& run : rules.runs) {
    text += "  " + printable(run.name) + ": " + run.date + " " + printable(run.image);
    for (const std::string& word : run.command) text += " " + printable(word);
    text += (run.end.empty() ? "" : ", " + run.end) + "\n";
    if (!run.note.empty()) text += "    " + printable(run.note) + "\n";
  }
  return text;
}

// Names of calls that have no condition, as a paragraph.
std::string calls_of(const Rules& rules) {
  std::string plain, bound;
  std::size_t column = 0;
  for (const SystemCall& call : rules.system_calls) {
    if (!call.arguments.empty()) {
      bound += "  " + words_of(call) + "\n";
      continue;
    }
    if (column + call.name.size() > 90) column = 0;
    plain += (column == 0 ? "\n  " : " ") + call.name;
    column += call.name.size() + 1;
  }
  return heading("System calls") + bound + (plain.empty() ? "" : plain.substr(1) + "\n");
}

std::string title_of(const std::string& where) {
  if (where == "image") return "Files of the image";
  if (where == "bind") return "Files of the host that are shown";
  if (where == "scratch") return "Private places, empty at the start";
  if (where == "system") return "/proc, /sys, /dev";
  return "Other files";
}

std::string paths_of(const Rules& rules) {
  std::map<std::string, std::string> sections;
  for (const Path& path : rules.paths) {
    std::string accesses;
    for (const Access access : path.access) {
      accesses += (accesses.empty() ? "" : " ") + std::string(name_of(access));
    }
    sections[title_of(path.where)] +=
        "  " + printable(path.path) + (path.below ? "/**" : "") + "  (" + accesses + ")\n";
  }
  std::string text;
  for (const auto& [title, lines] : sections) text += heading(title) + lines;
  return text;
}

template <typename Entry>
void put(std::map<std::string, std::string>& known, const char* kind,
         const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) known[kind + line_of(entry)] = words_of(entry);
}

std::map<std::string, std::string> meaning(Rules rules) {
  rules.normalise();
  std::map<std::string, std::string> known;
  put(known, "1 ", rules.system_calls);
  put(known, "2 ", rules.paths);
  put(known, "3 ", rules.programs);
  put(known, "4 ", rules.network);
  known["0 otherwise"] = "anything else " + otherwise(rules);
  known["0 " + otherwise(rules)] = known["0 otherwise"];
  known.erase("0 otherwise");
  return known;
}

}  // namespace

std::string page_of(const Rules& rules) {
  std::string text = rules.about.empty() ? "" : printable(rules.about) + "\n";
  text += "What is not named here " + otherwise(rules) + ".\n";
  text += heading("Programs that may be executed");
  for (const Program& program : rules.programs) {
    text += "  " + printable(program.path) + (program.below ? "/**" : "") + "\n";
  }
  text += paths_of(rules);
  text += heading("Network");
  if (rules.network.empty()) text += "  none\n";
  for (const Network& network : rules.network) text += "  " + words_of(network) + "\n";
  return text + calls_of(rules) + runs_of(rules);
}

std::string difference(const Rules& before, const Rules& after) {
  const auto old = meaning(before), now = meaning(after);
  std::map<std::string, std::string> lines;
  for (const auto& [key, words] : old) {
    if (!now.contains(key)) lines[words + "\n-"] = "- " + words + "\n";
  }
  for (const auto& [key, words] : now) {
    if (!old.contains(key)) lines[words + "\n+"] = "+ " + words + "\n";
  }
  std::string text;
  for (const auto& [key, line] : lines) text += line;
  return text;
}

}  // namespace rootlet::rules
