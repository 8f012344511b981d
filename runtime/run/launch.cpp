// SPDX-License-Identifier: MIT
#include "runtime/run/launch.hpp"

#include <sys/auxv.h>
#include <sys/sysinfo.h>

#include "runtime/base/log.hpp"
#include "runtime/image/extract.hpp"
#include "runtime/image/mount.hpp"
#include "runtime/run/authority.hpp"
#include "runtime/run/extracted.hpp"
#include "runtime/run/make_plan.hpp"
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

// Without /dev/fuse, or when asked to, the image is unpacked: into memory that
// dies with the run while it is small, else into a private directory.
enum class Way {
  served,
  memory,
  directory
};
Result<Way> choose_way(const Options& options, Source& source, const Log& log) {
  const bool asked = options.reach == Reach::extract;
  if (!asked && image::have_fuse()) return Way::served;
  if (!asked && options.reach == Reach::private_server) {
    return plain_error("reach the image", "/dev/fuse", "it is not there, or not for you",
                       "leave out " + option_text("mount") + "=private, and the image is unpacked");
  }
  const std::uint64_t size = TRY(image::unpacked_size(*source.image));
  struct sysinfo memory {};
  ::sysinfo(&memory);
  const std::uint64_t free = std::uint64_t{memory.freeram} * memory.mem_unit;
  const Way way = size <= free / 4 ? Way::memory : Way::directory;
  log.say([&] {
    return std::string(asked ? "" : "/dev/fuse cannot be used: ") + "the image (" +
           std::to_string(size >> 20) + " MiB) is unpacked into " +
           (way == Way::memory ? "memory" : "a private directory");
  });
  return way;
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

}  // namespace

// The whole run, in order. Each step lives in the file of its name; one that
// fails says so in its Result, and main() prints it.
Result<int> launch(const Options& given, Source source, const Caller& caller,
                   const std::vector<std::string>& arguments) {
  TRY(refuse_privilege());
  const Log log(given.verbose);
  Options options = given;
  Subject subject{source.file,
                  source.image ? "" : source.file,
                  "",
                  TRY(read_policy(source)),
                  arguments,
                  source.reader(),
                  [&](const std::string& path) { return source.has_file(path); }};
  TRY(apply_policy(options, subject.policy));

  const Entry entry = choose_entry(options, subject.policy, caller, arguments);
  if (!entry.listing.empty()) return list_commands(entry, subject.policy);
  if (options.no_isolation) return run_unisolated(options, source, subject, caller);

  // Held until the end of the run, then removed with all that is in it.
  std::optional<ExtractedDirectory> extracted;
  const Way way = source.image ? TRY(choose_way(options, source, log)) : Way::directory;
  if (source.image && way == Way::directory && !options.dry_run) {
    extracted = TRY(extract_to_directory(*source.image, log));
    subject.unpacked = extracted->base();
  }

  std::vector<std::string> notes;
  sandbox::Plan plan = TRY(make_plan(options, subject, caller, notes));
  plan.extract = way == Way::memory;
  if (extracted) plan.root_directory = extracted->path();
  if (options.dry_run) {
    print(plan.text());
    return 0;
  }
  for (const std::string& note : notes) Log::note(note);

  // From here on no signal ends us before the run is over.
  plan.signals = block_signals();

  // Forked before any namespace is made: a server inside the mount namespace
  // that it serves would keep it, and itself, alive for ever.
  const os::OneProcessor beside;
  std::optional<image::Server> server;
  if (way == Way::served && source.image) {
    server = TRY(image::start_server(*source.image, {plan.inside_uid, plan.inside_gid}, beside));
  }
  image::Squashfs* image = source.image ? &*source.image : nullptr;
  auto init = sandbox::start_init(plan, image, server ? server->channel.get() : -1, beside);
  if (!init.ok()) {
    if (server) {
      server->channel.reset();  // it ends when nobody can hand it anything
      os::wait_for(server->pid);
    }
    return std::move(init).error();
  }
  return supervise(std::move(init).value(), std::move(server));
}

}  // namespace rootlet
