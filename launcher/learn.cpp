// SPDX-License-Identifier: MIT
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <filesystem>

#include "launcher/configuration.hpp"
#include "launcher/learn/output.hpp"
#include "launcher/learn/products.hpp"
#include "launcher/learn/rules_from.hpp"
#include "launcher/learn/run_files.hpp"
#include "launcher/learn/setting.hpp"
#include "launcher/learn/watcher.hpp"
#include "launcher/learn/web_page.hpp"
#include "launcher/rules/fold.hpp"
#include "launcher/rules/merge.hpp"
#include "launcher/run_options.hpp"
#include "launcher/start.hpp"
#include "launcher/verbs.hpp"
#include "runtime/base/log.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/os/process.hpp"
#include "runtime/run/paths.hpp"
#include "runtime/run/run_record.hpp"

// learn: a run that is watched, and the files that are made of what was seen.
namespace rootlet {
namespace {

constexpr std::string_view kLearn = "learn";

constexpr const char* kHelp =
    "Usage: rootlet learn [OPTION]... IMAGE [ARGUMENT]...\n"
    "\n"
    "Runs IMAGE as `rootlet run` does, records what its processes do, and writes\n"
    "rules that allow that and no more. Try them with \"log\" first (rootlet-rules(1)).\n"
    "\n"
    "  -o, --output FILE     the rules [NAME.rules.json]\n"
    "      --append          add this run to the rules that are there\n"
    "      --name NAME       what the rules call this run\n"
    "      --fold DIR        DIR stands for all that is in it; `data`: $CWD and binds\n"
    "      --recording FILE  what was seen, whole (JSON), for `rootlet rules test`\n"
    "      --page FILE       the same as one HTML page to look at\n"
    "      --trace FILE      files in order of first use, for `build --order`\n"
    "      --untouched FILE  files that no run touched, for `build --trim`\n"
    "      --policy FILE     a proposed rootlet.toml\n"
    "      --every-call      watch also what only touches memory, clocks, open files\n"
    "\n"
    "All options of `rootlet run` but rules, no-isolation and several ids.\n"
    "\n"
    "Examples:\n"
    "  rootlet learn -o h.rules --fold data hmmer.AppImage hmmsearch globins.hmm a.fa\n"
    "  rootlet learn -o h.rules --append --fold data hmmer.AppImage hmmscan Pfam b.fa\n"
    "  rootlet rules show h.rules\n"
    "\n"
    "Exit status: the tool's own; 125 our failure.\n";

// The options beside those of a run, in the order of `kOwn`.
enum Own {
  output,
  append,
  name,
  folds,
  recording_file,
  page,
  trace,
  untouched_file,
  policy,
  every_call
};
std::vector<OwnOption> own_options() {
  return {{"--output", "-o", true, {}},   {"--append", "", false, {}},   {"--name", "", true, {}},
          {"--fold", "", true, {}},       {"--recording", "", true, {}}, {"--page", "", true, {}},
          {"--trace", "", true, {}},      {"--untouched", "", true, {}}, {"--policy", "", true, {}},
          {"--every-call", "", false, {}}};
}

// The run that goes on; plan and watcher are made deep inside launch().
struct Session {
  learn::Recording recording;
  learn::Detail detail = learn::Detail::deciding;
  bool list = false;
  std::optional<learn::Watcher> watcher;
} session;

Status begin(sandbox::Plan& plan) {
  if (plan.ids.many()) {
    return plain_error(kLearn, "", "a run with several ids cannot be watched",
                       "leave out uid-map, gid-map and fake-root");
  }
  if (!plan.rules.empty()) {
    return plain_error(kLearn, "", "the image holds its runs to rules, and then none is watched",
                       "learn from an image that was built without them");
  }
  session.recording.setting = learn::setting_of(plan);
  session.watcher =
      TRY(learn::Watcher::start(plan, session.recording, session.detail, session.list));
  return Done{};
}

std::string now_utc() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  return text;
}

std::string end_text(int status) {
  if (WIFEXITED(status)) return "exit " + std::to_string(WEXITSTATUS(status));
  return "signal " + learn::signal_name(static_cast<std::uint32_t>(WTERMSIG(status)));
}

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// From one command line to the files that come of it.
class Lesson {
 public:
  Lesson(std::vector<OwnOption> own, RunLine line) : own_(std::move(own)), line_(std::move(line)) {}

  // What can be known to fail before the tool has run.
  Status check() {
    if (line_.options.no_isolation) {
      return plain_error(kLearn, "", "without isolation nothing is watched",
                         "leave out --no-isolation");
    }
    if (line_.options.was_given("rules")) {
      return plain_error(kLearn, "rules", "a run is watched or held to rules, not both",
                         "--append adds a run to rules that are there");
    }
    const bool there = exists(rules_file()) && !learn::is_no_file(rules_file());
    if (there && own_[append].values.empty()) {
      return plain_error(kLearn, rules_file(), "there are rules already",
                         "--append adds this run to them; else name another file with -o");
    }
    if (there) known_ = TRY(rules::read_rules(rules_file()));
    for (const Own which : {recording_file, page, trace, untouched_file, policy}) {
      if (!value(which).empty()) TRY(learn::check_output(value(which)));
    }
    return learn::check_output(rules_file());
  }

  Result<int> run(std::vector<int> closed) {
    describe();
    line_.options.watch = begin;
    auto ended = start(std::move(line_.options), line_.image, std::move(closed), line_.arguments);
    if (!session.watcher) return ended;
    auto seen = session.watcher->finish();
    if (!ended.ok()) return ended;
    learn::Recording recording = TRY(std::move(seen));
    recording.end = end_text(ended.value());
    recording.sort();
    tell_record(recording);
    TRY(write(recording));
    return ended;
  }

 private:
  std::string value(Own which) const {
    return own_[which].values.empty() ? "" : own_[which].values.back();
  }

  std::string rules_file() const {
    if (!value(output).empty()) return value(output);
    const std::string file = last_part(without_slash(line_.image));
    return file.substr(0, file.rfind('.')) + ".rules.json";
  }

  void describe() {
    learn::Recording& recording = session.recording;
    recording.name = value(name);
    recording.date = now_utc();
    recording.image = last_part(without_slash(line_.image));
    recording.command = line_.arguments;
    utsname kernel{};
    if (::uname(&kernel) == 0) recording.kernel = kernel.release;
    session.detail = own_[every_call].values.empty() ? learn::Detail::deciding : learn::Detail::all;
    recording.detail = own_[every_call].values.empty() ? "deciding" : "all";
    session.list = !own_[untouched_file].values.empty();
  }

  // record=FILE: which files the run read and wrote needs no naming here.
  static void tell_record(const learn::Recording& recording) {
    RunRecord& record = RunRecord::of_this_run();
    if (!record.is_wanted()) return;
    std::error_code failed;
    const std::string here = std::filesystem::current_path(failed);
    std::vector<std::string> named;
    for (const auto* list : {&record.inputs, &record.outputs}) {
      for (const std::string& path : *list) {
        named.push_back(without_slash(path[0] == '/' ? path : joined(here, path)));
      }
    }
    const auto add = [&](std::vector<std::string>& list, const std::vector<std::string>& found) {
      for (const std::string& path : found) {
        const bool known = std::any_of(named.begin(), named.end(), [&](const std::string& name) {
          return is_below(path, name);
        });
        if (!known) list.push_back(path);
      }
    };
    const learn::RunFiles files = learn::files_of(recording);
    add(record.found_inputs, files.read);
    add(record.outputs, files.written);
  }

  Status write(learn::Recording& recording) {
    const std::vector<std::string> files = std::move(recording.image_files);
    recording.image_files.clear();
    rules::Rules rules = known_.value_or(rules::Rules{});
    const std::string run =
        rules::free_name(rules, recording.name.empty() ? "run" : recording.name);
    recording.name = run;
    rules::merge(rules, learn::rules_from(recording, run));
    rules::fold(rules, learn::places_of(own_[folds].values));
    TRY(learn::write_output(rules_file(), rules::write_rules(rules)));
    TRY(write_one(recording_file, learn::write_recording(recording)));
    TRY(write_one(page, learn::web_page(recording)));
    TRY(write_one(trace, learn::start_trace(recording)));
    TRY(write_one(policy, learn::proposed_policy(recording)));
    if (session.list) TRY(write_untouched(recording, files));
    tell(recording, rules);
    return Done{};
  }

  Status write_one(Own which, const std::string& text) {
    return value(which).empty() ? Done{} : learn::write_output(value(which), text);
  }

  // With --append what any run touched is not listed again.
  Status write_untouched(const learn::Recording& recording, const std::vector<std::string>& files) {
    const std::string file = value(untouched_file);
    std::optional<std::string> kept;
    if (!own_[append].values.empty() && exists(file)) {
      kept = TRY(os::read_file(AT_FDCWD, file, 256u << 20));
    }
    return learn::write_output(file, learn::untouched(recording, files, kept ? &*kept : nullptr));
  }

  void tell(const learn::Recording& recording, const rules::Rules& rules) const {
    Log::note("learned from " + std::to_string(recording.processes.size()) + " processes and " +
              std::to_string(recording.calls) +
              " calls: " + std::to_string(rules.system_calls.size()) + " system calls, " +
              std::to_string(rules.paths.size()) + " paths, " +
              std::to_string(rules.programs.size()) + " programs, " +
              std::to_string(rules.network.size()) + " addresses, of " +
              std::to_string(rules.runs.size()) + " runs, in " + rules_file());
    for (const std::string& note : recording.notes) Log::note(printable(note));
    if (recording.end != "exit 0") {
      Log::note("the tool ended with " + recording.end +
                ": these rules allow what it did until then");
    }
    std::size_t named = 0;
    for (const rules::Path& path : rules.paths) {
      const bool data = path.path.starts_with("$CWD/") || path.path.starts_with("$BIND/");
      named += data && !path.below;
    }
    if (named > 0) {
      Log::note("the rules name " + std::to_string(named) +
                " files of this run's data; --fold=data makes them hold for other data");
    }
  }

  std::vector<OwnOption> own_;
  RunLine line_;
  std::optional<rules::Rules> known_;
};

Result<int> learn_run(int argc, char** argv) {
  set_option_prefix("--");
  std::vector<int> closed = os::hold_standard_streams();
  Options configured = TRY(configured_options(environ));
  std::vector<OwnOption> own = own_options();
  RunLine line = TRY(parse_run({argv + 1, argv + argc}, std::move(configured), own));
  if (line.options.help) {
    (void)os::write_all(STDOUT_FILENO, kHelp, "print");
    return 0;
  }
  if (line.image.empty()) {
    return plain_error("read the command line", "rootlet learn", "no IMAGE is given",
                       "rootlet learn --help");
  }
  Lesson lesson(std::move(own), std::move(line));
  TRY(lesson.check());
  return lesson.run(std::move(closed));
}

}  // namespace

int learn_verb(int argc, char** argv) { end_run(learn_run(argc, argv)); }

}  // namespace rootlet
