// SPDX-License-Identifier: MIT
#include "launcher/rules/rules.hpp"

#include <algorithm>
#include <cstdio>

#include "launcher/command_line.hpp"
#include "launcher/learn/output.hpp"
#include "launcher/learn/rules_from.hpp"
#include "launcher/rules/fold.hpp"
#include "launcher/rules/lint.hpp"
#include "launcher/rules/merge.hpp"
#include "launcher/rules/page.hpp"
#include "launcher/rules/replay.hpp"
#include "launcher/verbs.hpp"
#include "runtime/base/json_text.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/rules/rules.hpp"
#include "runtime/run/rules_of_run.hpp"

// show, diff, merge, test and lint of rule files.
namespace rootlet {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  rootlet learn -o hmmer.rules hmmer.AppImage hmmsearch globins.hmm a.fa\n"
    "  rootlet rules show hmmer.rules\n"
    "  rootlet rules merge a.rules b.rules -o hmmer.rules\n"
    "  rootlet rules test hmmer.rules yesterday.recording\n"
    "\n"
    "Exit status of diff, test, lint: 0 nothing found, 1 something, 125 not known.\n";

constexpr std::size_t kLongest = 256u << 20;

int fail(const Error& error) {
  print_error(error);
  return error.exit_code;
}

void print(const std::string& text) { (void)os::write_all(1, text, "print"); }

// Rules, or what a recording would need of them.
Result<rules::Rules> read_needed(const std::string& file) {
  std::string text = TRY(os::read_file(AT_FDCWD, file, kLongest));
  if (!learn::is_recording(text)) return rules::parse_rules(text, file);
  const learn::Recording recording = TRY(learn::parse_recording(text, file));
  return learn::rules_from(recording, recording.name.empty() ? "1" : recording.name);
}

Result<int> show(const std::string& file) {
  std::string page = rules::page_of(TRY(rules::read_rules(file)));
  page += "\nNot enforced\n------------\n";
  // As a run reads them, which knows what it enforces.
  for (const std::string& lack : not_enforced(TRY(read_rules(file)))) page += "  " + lack + "\n";
  print(page);
  return 0;
}

Result<int> diff(const std::vector<std::string>& files) {
  const rules::Rules before = TRY(rules::read_rules(files[0]));
  const std::string found = rules::difference(before, TRY(rules::read_rules(files[1])));
  print(found);
  return found.empty() ? 0 : 1;
}

Result<int> merge(const std::vector<std::string>& files, const std::vector<std::string>& folds,
                  const std::string& output) {
  rules::Rules all = TRY(read_needed(files[0]));
  for (std::size_t i = 1; i < files.size(); ++i) rules::merge(all, TRY(read_needed(files[i])));
  rules::fold(all, learn::places_of(folds));
  const std::string text = rules::write_rules(all);
  if (output.empty()) {
    print(text);
  } else {
    TRY(learn::write_output(output, text));
  }
  return 0;
}

std::string as_json(const std::vector<rules::Refusal>& found) {
  JsonText json;
  json.array();
  for (const rules::Refusal& one : found) {
    json.object().text("what", one.what).text("line", one.line);
    json.number("count", static_cast<std::int64_t>(one.count)).close();
  }
  return json.close().str() + "\n";
}

Result<int> test(const std::vector<std::string>& files, bool json) {
  const rules::Rules rules = TRY(rules::read_rules(files[0]));
  std::vector<rules::Refusal> found;
  for (std::size_t i = 1; i < files.size(); ++i) {
    const auto some = rules::refusals(rules, TRY(read_needed(files[i])));
    found.insert(found.end(), some.begin(), some.end());
  }
  if (json) {
    print(as_json(found));
  } else {
    for (const rules::Refusal& one : found) {
      print("refused: " + one.what + " (" + std::to_string(one.count) +
            (one.count == 1 ? " time)\n" : " times)\n") + "  to allow it: " + one.line + "\n");
    }
    if (found.empty()) print("nothing would be refused\n");
  }
  return found.empty() ? 0 : 1;
}

Result<int> lint(const std::string& file, bool json) {
  const auto remarks = rules::lint(TRY(rules::read_rules(file)));
  const bool wide = std::any_of(remarks.begin(), remarks.end(),
                                [](const rules::Remark& remark) { return remark.wide; });
  JsonText list;
  list.array();
  for (const rules::Remark& remark : remarks) {
    list.object().text("kind", remark.wide ? "wide" : "note");
    list.text("what", remark.what).text("why", remark.why).close();
    if (!json)
      print((remark.wide ? "wide: " : "note: ") + remark.what + "\n  " + remark.why + "\n");
  }
  if (json) print(list.close().str() + "\n");
  if (!json && remarks.empty()) print("nothing to remark\n");
  return wide ? 1 : 0;
}

}  // namespace

int rules_verb(int argc, char** argv) {
  CLI::App app("Reads, compares, joins, tries and judges files of rules.", "rootlet rules");
  app.require_subcommand(1);
  app.footer(kExamples);
  std::vector<std::string> files, folds;
  std::string output;
  bool json = false;
  const auto with_files = [&](CLI::App* verb, const char* what, int least, int most) {
    verb->add_option("FILE", files, what)->required()->expected(least, most);
    return verb;
  };
  constexpr int kMany = 10000;
  CLI::App* shows = with_files(app.add_subcommand("show", "a page to read"), "rules", 1, 1);
  CLI::App* diffs =
      with_files(app.add_subcommand("diff", "what only one of two allows"), "rules", 2, 2);
  CLI::App* merges = with_files(app.add_subcommand("merge", "what any of them allows"),
                                "rules or recordings", 1, kMany);
  merges->add_option("-o,--output", output, "the file to write [standard output]");
  merges->add_option("--fold", folds, "let DIR stand for all in it; data: the data shown")
      ->type_name("DIR");
  CLI::App* tests =
      with_files(app.add_subcommand("test", "what of recorded runs would be refused?"),
                 "rules, then recordings (or rules)", 2, kMany);
  tests->add_flag("--json", json, "as JSON");
  CLI::App* lints =
      with_files(app.add_subcommand("lint", "what is dangerously wide, and why"), "rules", 1, 1);
  lints->add_flag("--json", json, "as JSON");
  if (const auto status = parse_arguments(app, argc, argv)) return *status;
  Result<int> done = shows->parsed()    ? show(files[0])
                     : diffs->parsed()  ? diff(files)
                     : merges->parsed() ? merge(files, folds, output)
                     : tests->parsed()  ? test(files, json)
                     : lints->parsed()  ? lint(files[0], json)
                                        : Result<int>(125);
  return done.ok() ? done.value() : fail(done.error());
}

}  // namespace rootlet
