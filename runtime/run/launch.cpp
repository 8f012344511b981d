// SPDX-License-Identifier: MIT
#include "runtime/run/launch.hpp"

#include <sys/auxv.h>
#include <sys/stat.h>

#include <algorithm>

#include "runtime/base/log.hpp"
#include "runtime/os/traces.hpp"
#include "runtime/run/authority.hpp"
#include "runtime/run/enforcement.hpp"
#include "runtime/run/environment.hpp"
#include "runtime/run/guards.hpp"
#include "runtime/run/layer.hpp"
#include "runtime/run/make_plan.hpp"
#include "runtime/run/named_data.hpp"
#include "runtime/run/paths.hpp"
#include "runtime/run/reach.hpp"
#include "runtime/run/refusals.hpp"
#include "runtime/run/rendezvous.hpp"
#include "runtime/run/run_record.hpp"
#include "runtime/run/status_report.hpp"
#include "runtime/run/supervise.hpp"
#include "runtime/run/unisolated.hpp"
#include "runtime/sandbox/init.hpp"

namespace rootlet {
namespace {

void print(const std::string& text) { (void)os::write_all(STDOUT_FILENO, text, "print"); }

// A setuid copy of us must not lend its owner's rights to anyone's options
// (AT_SECURE, getauxval(3)).
Status refuse_privilege() {
  if (::getauxval(AT_SECURE) == 0) return Done{};
  return plain_error("start", "", "this file is setuid, setgid or has capabilities",
                     "chmod ug-s it; it needs no privilege");
}

// tmp=DIR: what is private lies in a directory of this run's own, below DIR.
Result<PrivateDirectory> move_scratch_to_disk(sandbox::Plan& plan) {
  constexpr std::string_view kMake = "make the private places";
  PrivateDirectory directory = TRY(PrivateDirectory::make(plan.disk, kMake, false));
  int number = 0;
  for (sandbox::Place& place : plan.places) {
    if (place.kind != sandbox::Place::Kind::scratch || !place.may_lie_on_disk) continue;
    place.kind = sandbox::Place::Kind::bind;
    place.writable = place.ours = true;
    place.source = directory.path() + "/" + std::to_string(number++);
    if (::mkdir(place.source.c_str(), 0700) != 0 ||
        ::chmod(place.source.c_str(), place.mode) != 0) {
      return last_error(kMake, place.source);
    }
  }
  return directory;
}

// What a mount cannot keep from being made is at least not made unseen.
void tell_new_start_up_files(const std::vector<std::string>& missing) {
  for (const std::string& path : missing) {
    if (exists(path)) {
      Log::note(path + " was made while this ran, and the next login or run would execute it");
    }
  }
}

// env-file: under what `env` says.
Status read_env_files(Options& options) {
  std::vector<std::string> variables;
  for (const std::string& file : options.env_files) {
    for (std::string& entry : TRY(read_env_file(file))) variables.push_back(std::move(entry));
  }
  options.env.insert(options.env.begin(), variables.begin(), variables.end());
  return Done{};
}

// Rules are written for the run's root, and hold in it alone.
Status refuse_without_rules(const Options& options, const Policy& policy) {
  const auto& locked = policy.locked;
  const bool held =
      !policy.rules.empty() && std::find(locked.begin(), locked.end(), "rules") != locked.end();
  if (options.rules.empty() && !held) return Done{};
  return plain_error("enforce the rules",
                     options.rules.empty() ? "the image's rules" : options.rules.front(),
                     "they hold in the run's own root, and without isolation there is none",
                     "leave out " + option_text("no-isolation"));
}

int list_commands(const Entry& entry, const Policy& policy) {
  std::string text;
  for (const std::string& name : entry.listing) text += name + "\n";
  const bool bare = entry.program.empty();
  if (bare) {
    print(text);
    return 0;
  }
  Error error = plain_error("run", entry.program, policy.name + " has no such command");
  error.hint = "its commands: " + text.substr(0, text.size() - 1);
  for (char& c : error.hint) c = c == '\n' ? ' ' : c;
  print_error(error);
  return 127 << 8;
}

void tell_limits(const std::vector<std::string>& met, const Limits& limits) {
  for (const std::string& name : met) {
    const bool ends = name == "timeout" || name == "memory";
    Log::note("the run met its limit: " + limit_text(limits, name).value_or(name) +
              (ends ? ", and was ended" : ""));
    StatusReport::of_this_run().add_limit(name);
  }
}

}  // namespace

// The whole run, in order. Each step lives in the file of its name; one that
// fails says so in its Result, and main() prints it.
Result<int> launch(const Options& given, Source opened, const Caller& caller,
                   const std::vector<std::string>& arguments) {
  TRY(refuse_privilege());
  const Log log(given.verbose);
  Options options = given;
  auto holder = std::make_unique<Source>(std::move(opened));
  Source& source = *holder;
  Subject subject{source.file,
                  source.image ? "" : source.file,
                  {},
                  {},
                  TRY(read_policy(source)),
                  arguments,
                  source.reader(),
                  [&](const std::string& path) { return source.has_file(path); },
                  {}};
  subject.has_entry = [&](const std::string& path) { return source.has_entry(path); };
  TRY(apply_policy(options, subject.policy));
  TRY(read_env_files(options));

  const Entry entry = choose_entry(options, subject.policy, caller, arguments);
  if (!entry.listing.empty()) return list_commands(entry, subject.policy);
  if (options.no_isolation) TRY(refuse_without_rules(options, subject.policy));
  if (options.no_isolation && !options.attachments.empty()) {
    return plain_error("attach", options.attachments.front().image,
                       "without isolation there is no root to show it in",
                       "leave out " + option_text("no-isolation"));
  }
  RunRecord& record = RunRecord::of_this_run();
  if (options.dry_run) record.forget();
  StatusReport& report = StatusReport::of_this_run();
  report.describe(subject.file, entry.program, !options.no_isolation);
  if (options.no_isolation) {
    TRY(record.begin({options, subject, caller, source, {}, nullptr}));
    return run_unisolated(options, source, subject, caller);
  }

  // Held until the end of the run; what was unpacked is then removed.
  std::vector<RunImage> images = TRY(open_attached(options));
  for (RunImage& data : TRY(open_named_data(options, subject.policy, caller, source.file, log))) {
    images.push_back(std::move(data));
  }
  if (source.image)
    images.insert(images.begin(), RunImage{std::move(holder), {}, {}, {}, {}, {}, {}, {}});
  if (!subject.policy.base.name.empty()) {
    images.insert(images.begin() + 1, TRY(find_base(subject.policy.base, source, options)));
  }
  std::optional<Keeping> keeping;
  TRY(choose_ways(images, options, caller, log, keeping));
  if (!options.dry_run) TRY(prepare(images, log, keeping ? &*keeping : nullptr));
  subject.guarded = options.guarded;
  add_images(subject, images);

  std::vector<std::string> notes;
  sandbox::Plan plan = TRY(make_plan(options, subject, caller, notes));
  if (options.dry_run) {
    plan.notes = notes;
    print(options.json ? plan.json() + "\n" : plan.text());
    return 0;
  }
  Enforcement limits =
      TRY(Enforcement::prepare(options.limits, options.best_effort, caller.uid, plan.ids, notes));
  limits.add_to(plan);
  plan.tell_start = report.wanted();
  for (const std::string& note : notes) report.note(note);
  if (plan.overlay) TRY(open_layer(*plan.overlay));
  std::optional<PrivateDirectory> disk;
  if (!plan.disk.empty()) disk = TRY(move_scratch_to_disk(plan));
  const std::vector<std::string> missing = unguarded(plan, caller);

  Refusals refusals = TRY(Refusals::prepare(plan));
  for (const std::string& lack : plan.not_enforced) log.say("not enforced: " + lack);

  os::wipe_too(plan.env);
  plan.hidden = Rendezvous::prepare_all(caller);

  TRY(record.begin({options, subject, caller, source, images, &plan}));

  // From here on no signal ends us before the run is over.
  plan.signals = block_signals();
  if (options.watch != nullptr) TRY(options.watch(plan));

  // Forked before any namespace is made: a server inside the mount namespace
  // that it serves would keep it, and itself, alive for ever.
  const os::OneProcessor beside;
  const Sharing sharing = TRY(Sharing::of_run(options, plan, caller, log));
  auto servers =
      TRY(start_servers(images, {plan.ids.uid, plan.ids.gid}, sharing, beside, record.is_wanted()));
  record.watch(servers);
  auto init = sandbox::start_init(plan, reached_images(images, servers), beside);
  if (!init.ok()) {
    dismiss(servers);
    return std::move(init).error();
  }
  refusals.started();
  // Ours would keep the kernel's mounts beyond the end of init.
  for (RunImage& image : images) image.kernel.reset();
  auto ended = supervise(std::move(init).value(), std::move(servers), Errands(plan, caller), limits,
                         refusals);
  refusals.sum_up();
  record.used(limits);
  if (ended.ok()) tell_limits(limits.met(ended.value()), options.limits);
  tell_new_start_up_files(missing);
  return ended;
}

}  // namespace rootlet
