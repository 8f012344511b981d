// SPDX-License-Identifier: MIT
#include "runtime/run/make_plan.hpp"

#include <linux/sched.h>
#include <sys/stat.h>

#include "runtime/run/argument_paths.hpp"
#include "runtime/run/desktop.hpp"
#include "runtime/run/environment.hpp"
#include "runtime/run/filter_file.hpp"
#include "runtime/run/gpu.hpp"
#include "runtime/run/ids.hpp"
#include "runtime/run/layer.hpp"
#include "runtime/run/network.hpp"
#include "runtime/run/paths.hpp"
#include "runtime/run/rules_of_run.hpp"

namespace rootlet {
namespace {

// The host's `path` is what is seen at that path inside.
bool shown(const sandbox::Plan& plan, const std::string& path) {
  for (auto place = plan.places.rbegin(); place != plan.places.rend(); ++place) {
    if (is_below(path, place->target)) return place->kind == sandbox::Place::Kind::bind;
  }
  return plan.root == sandbox::RootKind::host;
}

// A directory that the tool can use by the name it has on the host.
bool usable(const sandbox::Plan& plan, const std::string& path) {
  for (auto place = plan.places.rbegin(); place != plan.places.rend(); ++place) {
    if (place->target == path && place->kind == sandbox::Place::Kind::scratch) return true;
    if (place->kind == sandbox::Place::Kind::bind && is_below(path, place->target)) return true;
  }
  return false;
}

// Where the tool starts: asked for, else the caller's directory where it is to
// be seen inside, else the image's.
Status choose_directory(sandbox::Plan& plan, const Options& options, const Subject& subject,
                        const Caller& caller) {
  plan.fallback_cwd = subject.policy.workdir.empty() ? "/" : subject.policy.workdir;
  if (options.cwd) {
    plan.cwd = plan.fallback_cwd = *options.cwd;
  } else if (options.keep_cwd) {
    if (!caller.cwd) {
      return plain_error("keep the current directory", "", caller.cwd_trouble,
                         "go to another one, or name one with " + option_text("cwd"));
    }
    plan.keep_cwd = true;
    plan.cwd = plan.fallback_cwd = *caller.cwd;
  } else if (caller.cwd && shown(plan, *caller.cwd)) {
    plan.cwd = *caller.cwd;
  } else {
    plan.cwd = plan.fallback_cwd;
  }
  return Done{};
}

// A directory as a standard stream is a door to all that is around it.
Status check_streams() {
  for (int fd = 0; fd <= 2; ++fd) {
    struct stat status {};
    if (::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
      return plain_error("start", "descriptor " + std::to_string(fd), "it is a directory",
                         "show a directory with " + option_text("bind") +
                             ", or hand it through with " + option_text("pass-fd"));
    }
  }
  return Done{};
}

void add_contract_variables(sandbox::Plan& plan, const Options& options, const Subject& subject,
                            const Caller& caller) {
  const auto add = [&](const std::string& entry) {
    add_contract_variable(plan.env, options, entry);
  };
  add("APPIMAGE=" + options.appimage.value_or(subject.file));
  add("APPDIR=" + options.appdir.value_or("/"));
  add("ARGV0=" + caller.argv0);
  if (caller.cwd) add("OWD=" + *caller.cwd);
}

// Where a run keeps what must not change under it.
Subject with_guarded(Subject subject, const sandbox::Plan& plan, const Caller& caller) {
  if (plan.overlay && !plan.overlay->directory.empty()) {
    subject.guarded.push_back(plan.overlay->directory);
  }
  if (!plan.disk.empty()) {
    subject.guarded.push_back(joined(plan.disk, "rootlet-" + std::to_string(caller.uid)));
  }
  return subject;
}

// "net=host (command line)", for each thing that was said.
std::vector<std::string> settings_text(const Options& options) {
  constexpr const char* kBy[] = {"the command line", "the environment", "the user's file",
                                 "the site's file", "the image's policy"};
  std::vector<std::string> lines;
  for (const Setting& setting : options.given) {
    lines.push_back(setting.name + (setting.value.empty() ? "" : "=" + setting.value) +
                    ", said by " + kBy[static_cast<int>(setting.origin)]);
  }
  return lines;
}

}  // namespace

Result<sandbox::Plan> make_plan(const Options& options, const Subject& subject,
                                const Caller& caller, std::vector<std::string>& notes) {
  sandbox::Plan plan;
  plan.profile = options.profile.value_or(Profile::contained);
  const bool compat = plan.profile == Profile::compat;
  TRY(choose_network(plan, options, caller));
  plan.namespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID;
  if (!options.ipc_host.value_or(compat)) plan.namespaces |= CLONE_NEWIPC;
  if (!options.uts_host.value_or(compat)) plan.namespaces |= CLONE_NEWUTS;
  if (!options.cgroup_host.value_or(false)) plan.namespaces |= CLONE_NEWCGROUP;
  if (options.hostname && !(plan.namespaces & CLONE_NEWUTS)) {
    return plain_error("make the plan", "hostname=" + *options.hostname, "it would rename the host",
                       "add " + option_text("uts") + "=private");
  }
  plan.hostname = options.hostname;
  plan.own_clock = !options.time_host.value_or(true);
  plan.host_processes = options.pid_host.value_or(false);
  plan.sysfs = plan.profile != Profile::isolated;
  plan.best_effort = options.best_effort;
  plan.ids = TRY(choose_ids(options, caller));
  plan.root_directory = subject.root_directory;
  plan.root_reached = subject.root_reached;
  plan.on_base = !subject.policy.base.name.empty();
  plan.root = subject.root_directory.empty()  ? sandbox::RootKind::image
              : subject.root_directory == "/" ? sandbox::RootKind::host
                                              : sandbox::RootKind::directory;
  if (plan.root == sandbox::RootKind::host && !options.hidden) {
    return plain_error("make the plan", "/", "a view of the host needs the rootlet command",
                       "rootlet run /");
  }
  plan.root_writable = options.root_writable && plan.root != sandbox::RootKind::image;
  plan.nested = options.user_namespaces.value_or(true);
  plan.filter = options.seccomp.value_or(true);
  for (const std::string& file : options.filter_files) {
    plan.filters.push_back({file, TRY(read_filter(file))});
  }
  plan.scope_sockets = !compat;
  plan.pass_fds = options.pass_fds;
  for (const std::string_view name : limit_names()) {
    if (auto text = limit_text(options.limits, name)) plan.limits.push_back(std::move(*text));
  }
  TRY(check_streams());
  plan.closed_streams = caller.closed_streams;

  plan.memory = options.tmp_size.value_or("25%");
  if (options.tmp_directory) plan.disk = without_slash(absolute(*options.tmp_directory, caller));
  if (options.overlay) plan.overlay = plan_layer(*options.overlay, plan.memory, caller);
  TRY(check_layer(plan));
  TRY(add_places(plan, options, with_guarded(subject, plan, caller), caller, notes));
  TRY(choose_directory(plan, options, subject, caller));
  plan.env = tool_environment(caller, options, subject.policy, plan.profile,
                              [&](const std::string& path) { return usable(plan, path); });
  if (options.gui) {
    for (const std::string& variable : desktop_variables(caller)) set_variable(plan.env, variable);
  }
  if (options.nv || options.rocm) find_drivers(plan.env);
  TRY(choose_rules(plan, options, subject.policy, notes));
  plan.settings = settings_text(options);
  // Whoever names the root names what is in it.
  if (!options.only_named) {
    const std::string invisible = invisible_arguments(subject, caller, plan);
    if (!invisible.empty()) notes.push_back(invisible);
  }
  if (!options.only_named) add_contract_variables(plan, options, subject, caller);
  Entry entry = choose_entry(options, subject.policy, caller, subject.arguments);
  plan.program = std::move(entry.program);
  plan.argv = std::move(entry.argv);
  plan.instead = options.instead;
  return plan;
}

}  // namespace rootlet
