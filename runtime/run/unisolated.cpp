// SPDX-License-Identifier: MIT
#include "runtime/run/unisolated.hpp"

#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <csignal>

#include "runtime/base/log.hpp"
#include "runtime/os/parent.hpp"
#include "runtime/run/environment.hpp"
#include "runtime/run/extracted.hpp"
#include "runtime/run/status_report.hpp"
#include "runtime/run/supervise.hpp"
#include "runtime/sandbox/user_namespace.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kRun = "run without isolation";

enum class Way {
  user_namespace,
  root_chroot,
  in_place
};

// What the host still gives, tried in a child that nobody sees.
Way find_way() {
  if (::geteuid() == 0) {
    auto child = os::fork_with(0, kRun);
    if (child.ok() && child.value().pid == 0) ::_exit(::chroot("/") == 0 ? 0 : 1);
    if (child.ok() && os::wait_for(child.value().pid) == 0) return Way::root_chroot;
  }
  auto child = os::fork_with(CLONE_NEWUSER | CLONE_NEWNS, kRun);
  if (child.ok() && child.value().pid == 0) ::_exit(0);
  if (child.ok() && os::wait_for(child.value().pid) == 0) return Way::user_namespace;
  return Way::in_place;
}

// The host's directories that a tool in an unpacked root cannot do without,
// bound where a mount namespace lets us.
void bind_host(const std::string& root) {
  ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  for (const char* path : {"/proc", "/sys", "/dev", "/tmp", "/home"}) {
    ::mount(path, (root + path).c_str(), nullptr, MS_BIND | MS_REC, nullptr);
  }
}

Status enter(Way way, const std::string& root, const Caller& caller, std::string& program) {
  if (way == Way::in_place) {
    program = root + "/AppRun";
    return Done{};
  }
  if (way == Way::user_namespace) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return last_error(kRun);
    TRY(sandbox::write_own_maps(sandbox::own_ids(caller.uid, caller.gid)));
    bind_host(root);
  } else if (::unshare(CLONE_NEWNS) == 0) {
    bind_host(root);
  }
  if (::chroot(root.c_str()) != 0) return last_error(kRun, root);
  if (!caller.cwd || ::chdir(caller.cwd->c_str()) != 0) {
    if (::chdir("/") != 0) return last_error(kRun, "/");
  }
  return Done{};
}

[[noreturn]] void become_tool(Way way, const std::string& root, Entry entry,
                              std::vector<std::string> env, const Caller& caller,
                              const CallerSignals& signals) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  auto entered = enter(way, root, caller, entry.program);
  if (!entered.ok()) {
    print_error(entered.error());
    ::_exit(125);
  }
  env.push_back("APPDIR=" + (way == Way::in_place ? root : "/"));
  if (way == Way::in_place) env.push_back("ROOTLET_IN_PLACE=1");  // AppRun need not say it again
  std::vector<char*> argv_pointers, env_pointers;
  for (std::string& text : entry.argv) argv_pointers.push_back(text.data());
  for (std::string& text : env) env_pointers.push_back(text.data());
  argv_pointers.push_back(nullptr);
  env_pointers.push_back(nullptr);
  if (signals.ignores_children) ::signal(SIGCHLD, SIG_IGN);
  ::sigprocmask(SIG_SETMASK, &signals.mask, nullptr);
  ::execve(entry.program.c_str(), argv_pointers.data(), env_pointers.data());
  Error error = last_error("run", entry.program);
  print_error(error);
  ::_exit(error.code == ENOENT ? 127 : 126);
}

}  // namespace

Result<int> wait_for_tool(os::Child child) {
  sigset_t all;
  ::sigfillset(&all);
  const os::Fd signals(::signalfd(-1, &all, SFD_CLOEXEC));
  pollfd events[3] = {{child.pidfd.get(), POLLIN, 0},
                      {signals.get(), POLLIN, 0},
                      {os::Parent::of_this_process().descriptor(), POLLIN, 0}};
  while (events[0].revents == 0) {
    if (::poll(events, 3, -1) < 0) continue;
    if (events[2].revents != 0) {
      ::kill(child.pid, SIGKILL);  // what it started stays: without isolation nothing holds it
      events[2].fd = -1;
    }
    signalfd_siginfo info{};
    if (events[1].revents == 0 || ::read(signals.get(), &info, sizeof info) != sizeof info)
      continue;
    if (info.ssi_signo == SIGCHLD) {
      // The tool was stopped, by the terminal; and so are we, for the shell to see.
      siginfo_t stopped{};
      ::waitid(P_PID, static_cast<id_t>(child.pid), &stopped, WSTOPPED | WNOHANG);
      if (stopped.si_pid != 0) ::kill(::getpid(), SIGSTOP);
    } else if (info.ssi_code != SI_KERNEL) {
      ::kill(child.pid, static_cast<int>(info.ssi_signo));
    }
  }
  return os::wait_for(child.pid);
}

Result<int> run_unisolated(const Options& options, Source& source, const Subject& subject,
                           const Caller& caller) {
  const Log log(options.verbose);
  const std::string& base = subject.policy.base.name;
  if (!base.empty()) {
    return plain_error(kRun, subject.file, "it is only what differs from " + base,
                       "build it without --base");
  }
  std::optional<PrivateDirectory> extracted;
  std::string root = source.file;
  if (source.image) {
    extracted = TRY(extract_to_directory(source, log));
    root = extracted->path() + "/root";
  }
  const CallerSignals signals = block_signals();
  const Way way = find_way();
  StatusReport& report = StatusReport::of_this_run();
  report.note(way == Way::in_place
                  ? "no isolation: the tool runs on the host itself, and its absolute paths will "
                    "not work"
                  : "no isolation: the tool can reach the host");

  if (options.limits.any()) report.note("no isolation: no limit holds");

  Entry entry = choose_entry(options, subject.policy, caller, subject.arguments);
  std::vector<std::string> env = tool_environment(caller, options, subject.policy, Profile::compat,
                                                  [](const std::string&) { return true; });
  add_contract_variable(env, options, "APPIMAGE=" + subject.file);
  add_contract_variable(env, options, "ARGV0=" + caller.argv0);
  if (caller.cwd) add_contract_variable(env, options, "OWD=" + *caller.cwd);
  auto child = TRY(os::fork_with(0, kRun));
  if (child.pid == 0) become_tool(way, root, std::move(entry), std::move(env), caller, signals);
  report.started();
  return wait_for_tool(std::move(child));
}

}  // namespace rootlet
