// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <cstdio>

#include "launcher/command_line.hpp"
#include "launcher/lzo.hpp"
#include "launcher/records/compare.hpp"
#include "launcher/records/crate.hpp"
#include "launcher/records/page.hpp"
#include "launcher/records/rerun.hpp"
#include "launcher/verbs.hpp"

// show, diff, rerun and crate: what records of runs are good for.
namespace rootlet {
namespace {

using records::Difference;
using records::differences;
using records::differences_as_json;
using records::differences_as_text;
using records::same;
using Kind = Difference::Kind;

constexpr const char* kExamples =
    "Examples:\n"
    "  ./hmmer.AppImage --rootlet-record=run.json --rootlet-record-output=out.txt ...\n"
    "  rootlet record show run.json\n"
    "  rootlet record diff run.json colleagues.json\n"
    "  rootlet record rerun run.json\n"
    "  rootlet record crate run.json -o crate\n"
    "\n"
    "Exit status of diff, rerun: 0 the same, 1 another result, 125 not known.\n";

struct Request {
  std::vector<std::string> files, moved;
  records::RerunRequest rerun;
  records::CrateRequest crate;
  bool json = false, no_files = false;
};

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

Result<int> show(const Request& request) {
  bool first = true;
  for (const std::string& file : request.files) {
    const records::Record record = TRY(records::read_record(file));
    if (!first) print("\n");
    first = false;
    print(request.json
              ? record.json.dump(2, ' ', false, records::Json::error_handler_t::replace) + "\n"
              : records::page_of(record));
  }
  return 0;
}

std::string verdict(const std::vector<Difference>& found) {
  if (found.empty()) return "they are equal\n";
  if (same(found, {Kind::made_of, Kind::result})) {
    return "the same run and the same result; they differ only in time and place\n";
  }
  return same(found, {Kind::result}) ? "the same result, of something else\n"
                                     : "the results differ\n";
}

Result<int> diff(const Request& request) {
  const records::Record first = TRY(records::read_record(request.files[0]));
  const records::Record second = TRY(records::read_record(request.files[1]));
  const auto found = differences(first.json, second.json);
  print(request.json ? differences_as_json(found) : differences_as_text(found) + verdict(found));
  return same(found, {Kind::made_of, Kind::result}) ? 0 : 1;
}

// How outputs are kept apart is no difference.
bool is_of_repetition(const Difference& difference) {
  return difference.kind == Kind::place || difference.what.starts_with("option ") ||
         difference.what.starts_with("plan ");
}

Result<int> rerun(const Request& request) {
  records::RerunRequest how = request.rerun;
  for (const std::string& pair : request.moved) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos) {
      return plain_error("read the command line", "--moved=" + pair, "not OLD=NEW");
    }
    how.moved.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  const records::Record record = TRY(records::read_record(request.files[0]));
  const records::Rerun again = TRY(records::rerun(record, how));
  auto found = differences(record.json, again.record.json, again.places);
  std::erase_if(found, is_of_repetition);
  const bool agree = same(found, {Kind::result});
  if (request.json) {
    print(differences_as_json(found));
  } else {
    print(differences_as_text(found));
    const std::size_t outputs =
        records::list_at(record.json, "outputs").size() + (record.json.contains("stdout") ? 1 : 0);
    print(agree ? "the same result: it ended as before, and " + std::to_string(outputs) +
                      (outputs == 1 ? " output is equal\n" : " outputs are equal\n")
                : "another result\n");
    if (outputs == 0) {
      std::fputs("no output was named when it was recorded: record-output=PATH\n", stderr);
    }
  }
  return agree ? 0 : 1;
}

Result<int> crate(Request& request) {
  std::vector<records::Record> all;
  for (const std::string& file : request.files) all.push_back(TRY(records::read_record(file)));
  request.crate.copy_files = !request.no_files;
  std::vector<std::string> left_out;
  TRY(records::write_crate(all, request.crate, left_out));
  for (const std::string& path : left_out) {
    std::fprintf(stderr, "not in the crate, for it is gone or has changed: %s\n",
                 printable(path).c_str());
  }
  return 0;
}

}  // namespace

int record_verb(int argc, char** argv) {
  CLI::App app("Records of runs (record=FILE): read, compare, repeat, publish.", "rootlet record");
  app.require_subcommand(1);
  app.footer(kExamples);
  Request request;
  const auto add = [&](const char* name, const char* help, int least, int most) {
    CLI::App* verb = app.add_subcommand(name, help);
    verb->add_option("FILE", request.files, "a record")->required()->expected(least, most);
    return verb;
  };
  constexpr int kMany = 1 << 20;
  CLI::App* shows = add("show", "what a run was made of, and how it ended", 1, kMany);
  CLI::App* diffs = add("diff", "what tells one run from another", 2, 2);
  CLI::App* reruns = add("rerun", "run it again: are its outputs the same?", 1, 1);
  CLI::App* crates = add("crate", "publish runs as a Process Run Crate (RO-Crate)", 1, kMany);
  for (CLI::App* verb : {shows, diffs, reruns}) verb->add_flag("--json", request.json, "as JSON");
  reruns->add_option("--image", request.rerun.image, "where the image is now");
  reruns->add_option("--directory", request.rerun.directory, "run it in DIR instead");
  reruns->add_option("--moved", request.moved, "OLD=NEW: another path that has moved")
      ->allow_extra_args(false);
  reruns->add_flag("--in-place", request.rerun.in_place, "write outputs where they were");
  reruns->add_option("-o,--output", request.rerun.into, "keep the new outputs and record in DIR");
  crates->add_option("-o,--output", request.crate.directory, "the directory to make")->required();
  crates->add_option("--name", request.crate.name, "what the crate is called")
      ->default_val("Recorded runs");
  crates->add_option("--licence", request.crate.licence, "its licence, a URL or a text");
  crates->add_flag("--no-files", request.no_files, "name inputs and outputs, do not copy them");
  if (const auto status = parse_arguments(app, argc, argv)) return *status;
  add_lzo_images();
  const auto done = shows->parsed()    ? show(request)
                    : diffs->parsed()  ? diff(request)
                    : reruns->parsed() ? rerun(request)
                                       : crate(request);
  if (done.ok()) return done.value();
  print_error(done.error());
  return done.error().exit_code;
}

}  // namespace rootlet
