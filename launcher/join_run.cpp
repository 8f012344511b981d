// SPDX-License-Identifier: MIT
#include "launcher/join_run.hpp"

#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "runtime/os/control_group.hpp"
#include "runtime/os/process.hpp"
#include "runtime/os/socket.hpp"
#include "runtime/run/rules_of_run.hpp"
#include "runtime/run/supervise.hpp"
#include "runtime/run/unisolated.hpp"
#include "runtime/sandbox/control.hpp"
#include "runtime/sandbox/tool.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kJoin = "join the run";

struct Namespace {
  const char* name;
  int flag;
};
constexpr Namespace kNamespaces[] = {
    {"user", CLONE_NEWUSER}, {"mnt", CLONE_NEWNS},  {"pid", CLONE_NEWPID},
    {"ipc", CLONE_NEWIPC},   {"uts", CLONE_NEWUTS}, {"cgroup", CLONE_NEWCGROUP},
    {"net", CLONE_NEWNET},   {"time", 0x00000080},  // CLONE_NEWTIME, Linux 5.6
};

// The process that we join through. Init itself is closed to us: undumpable.
struct Door {
  pid_t pid = -1;
  os::Fd pidfd;
  os::Fd proc;  // its directory in /proc, which means it alone
};

ino_t number_of(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 ? status.st_ino : 0;
}

// In the user namespace that the launcher made, and not in one that the tool made
// below it: made by us, and a child of our own.
Status check_user_namespace(const Door& door) {
  const os::Fd theirs = TRY(os::open_at(door.proc.get(), "ns/user", O_RDONLY));
  const os::Fd ours = TRY(os::open_at(AT_FDCWD, "/proc/self/ns/user", O_RDONLY));
  const os::Fd parent(::ioctl(theirs.get(), NS_GET_PARENT));
  uid_t owner = 0;
  const bool known = parent.valid() && ::ioctl(theirs.get(), NS_GET_OWNER_UID, &owner) == 0;
  if (!known || number_of(parent.get()) != number_of(ours.get()) || owner != ::geteuid()) {
    return plain_error(kJoin, "user namespace", "its tool is in one that is not the run's");
  }
  return Done{};
}

// The run's first process; what init adopted later may stand elsewhere.
Result<Door> open_door(const OwnRun& run) {
  auto processes = processes_of(run);
  std::erase_if(processes, [&](const os::ProcessFacts& p) { return p.parent != run.init.pid; });
  const auto first = std::min_element(
      processes.begin(), processes.end(),
      [](const os::ProcessFacts& a, const os::ProcessFacts& b) { return a.started < b.started; });
  if (first == processes.end())
    return plain_error(kJoin, std::to_string(run.number), "it has ended");
  Door door;
  door.pid = first->pid;
  door.pidfd = os::Fd(static_cast<int>(::syscall(SYS_pidfd_open, first->pid, 0)));
  if (!door.pidfd.valid()) return last_error(kJoin, std::to_string(run.number));
  door.proc =
      TRY(os::open_at(AT_FDCWD, "/proc/" + std::to_string(first->pid), O_RDONLY | O_DIRECTORY));
  // After the descriptor was taken: is the number still that process?
  const auto now = os::process_facts(first->pid);
  if (!now || now->started != first->started)
    return plain_error(kJoin, std::to_string(run.number), "it has ended");
  TRY(check_user_namespace(door));
  struct stat status {};
  if (::fstat(door.proc.get(), &status) != 0 || status.st_uid != ::geteuid()) {
    return plain_error(kJoin, std::to_string(run.number),
                       "its tool runs under other ids than yours");
  }
  return door;
}

// Those that are not ours already. To enter one's own again is refused for some.
Result<int> namespaces_to_enter(const Door& door) {
  int flags = 0;
  for (const Namespace& space : kNamespaces) {
    const std::string name = std::string("ns/") + space.name;
    auto theirs = os::open_at(door.proc.get(), name, O_RDONLY);
    if (!theirs.ok() && theirs.error().code == ENOENT) continue;
    if (!theirs.ok()) return std::move(theirs).error();
    const os::Fd ours = TRY(os::open_at(AT_FDCWD, "/proc/self/" + name, O_RDONLY));
    if (number_of(theirs.value().get()) != number_of(ours.get())) flags |= space.flag;
  }
  return flags;
}

Result<std::vector<std::string>> environment_of(const Door& door) {
  std::vector<std::string> variables;
  std::string rest = TRY(os::read_file(door.proc.get(), "environ", 1u << 20));
  std::size_t from = 0;
  for (std::size_t end; (end = rest.find('\0', from)) != std::string::npos; from = end + 1) {
    variables.push_back(rest.substr(from, end - from));
  }
  return variables;
}

void set_variable(std::vector<std::string>& variables, const std::string& text) {
  const std::string name = text.substr(0, text.find('=') + 1);
  std::erase_if(variables, [&](const std::string& v) { return v.starts_with(name); });
  variables.push_back(text);
}

// The groups that the run's launcher made; opened while they are in sight.
Status open_groups(const Door& door, std::vector<os::Fd>& doors) {
  const std::string group = TRY(os::read_file(door.proc.get(), "cgroup", 1u << 16));
  const std::string mounts = TRY(os::read_file(AT_FDCWD, "/proc/self/mountinfo", 1u << 20));
  std::vector<std::string> seen;
  for (const char* controller : {"memory", "pids", "cpu"}) {
    const auto place = os::find_hierarchy(controller, group, mounts);
    if (!place || place->directory.find("/rootlet-") == std::string::npos) continue;
    if (std::find(seen.begin(), seen.end(), place->directory) != seen.end()) continue;
    seen.push_back(place->directory);
    doors.push_back(TRY(os::open_at(AT_FDCWD, place->directory + "/cgroup.procs", O_WRONLY)));
  }
  return Done{};
}

// No more of them than the run's own processes have.
void take_limits(const Door& door, sandbox::Plan& plan) {
  rlimit limit{};
  if (::prlimit(door.pid, RLIMIT_FSIZE, nullptr, &limit) == 0) plan.file_size = limit.rlim_max;
  if (::prlimit(door.pid, RLIMIT_NPROC, nullptr, &limit) == 0) plan.processes = limit.rlim_max;
}

// How many filters a process is under (proc(5), Linux 5.9).
std::size_t filters_of(int proc) {
  constexpr std::string_view kName = "\nSeccomp_filters:\t";
  const auto status = os::read_file(proc, "status", 8192);
  const std::size_t at = status.ok() ? status.value().find(kName) : std::string::npos;
  return at == std::string::npos ? 0
                                 : std::strtoul(&status.value()[at + kName.size()], nullptr, 10);
}

// The rules of the run, from its launcher, who alone knows what they were.
Status take_rules(const OwnRun& run, sandbox::Plan& plan) {
  const std::string top = "/proc/" + std::to_string(run.number) + "/fd";
  std::error_code unread;
  for (const auto& entry : std::filesystem::directory_iterator(top, unread)) {
    std::error_code gone;
    const std::string name = std::filesystem::read_symlink(entry.path(), gone).string();
    if (name.find(std::string("memfd:") + kKeptRules) == std::string::npos) continue;
    const std::string kept = TRY(os::read_file(AT_FDCWD, entry.path(), 16u << 20));
    return take_kept_rules(plan, kept);
  }
  return Done{};  // if there are some, check_filters() finds one filter too many
}

// A filter of the run's own (seccomp=FILE) cannot be had from outside, and a
// command beside the tool may not be under less than it.
Status check_filters(const Door& door, const sandbox::Plan& plan) {
  const os::Fd self = TRY(os::open_at(AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY));
  if (filters_of(door.proc.get()) <= filters_of(self.get()) + 1 + plan.rules.size()) return Done{};
  return plain_error(kJoin, std::to_string(door.pid),
                     "its tool is under a filter of its own, which another process cannot be given",
                     "start a second run with the same options");
}

Result<sandbox::Plan> make_plan(const Door& door, const Options& options,
                                const std::vector<std::string>& command) {
  sandbox::Plan plan;
  plan.own_network = false;  // it is there already
  plan.program = command[0];
  plan.argv = command;
  take_limits(door, plan);
  plan.env = TRY(environment_of(door));
  if (const char* terminal = ::getenv("TERM"))
    set_variable(plan.env, std::string("TERM=") + terminal);
  for (const std::string& variable : options.env) set_variable(plan.env, variable);
  return plan;
}

[[noreturn]] void become_command(const sandbox::Plan& plan, int directory,
                                 const std::optional<std::string>& wanted, int control) {
  const auto give_up = [&](Error error) {
    (void)sandbox::send_message(control, {sandbox::Message::Kind::failed, 0, "", std::move(error)});
    ::_exit(125);
  };
  if (sandbox::needs_own_group()) ::setpgid(0, 0);
  if (::fchdir(directory) != 0 && ::chdir("/") != 0) give_up(last_error(kJoin, "/"));
  std::vector<int> kept = plan.groups;
  kept.insert(kept.end(), {0, 1, 2, control});
  os::close_all_but(kept);
  auto ready = sandbox::get_ready(plan, control);
  if (!ready.ok()) give_up(std::move(ready).error());
  if (wanted && ::chdir(wanted->c_str()) != 0)
    give_up(last_error("change to the directory", *wanted));
  // Last, since changes of rights clear it (prctl(2)). A launcher that is gone
  // by now takes no message any more.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!sandbox::send_message(control, {sandbox::Message::Kind::started, 0, "", {}}).ok())
    ::_exit(125);
  sandbox::start_program(plan, control);
}

}  // namespace

Result<int> join_run(const HeldRun& held, const Options& options,
                     const std::vector<std::string>& command, std::vector<int> closed_streams) {
  const Door door = TRY(open_door(held.run));
  const int flags = TRY(namespaces_to_enter(door));
  sandbox::Plan plan = TRY(make_plan(door, options, command));
  TRY(take_rules(held.run, plan));
  TRY(check_filters(door, plan));
  std::vector<os::Fd> groups;
  TRY(open_groups(door, groups));
  for (const os::Fd& group : groups) plan.groups.push_back(group.get());
  const os::Fd directory = TRY(os::open_at(door.proc.get(), "cwd", O_PATH));
  plan.closed_streams = std::move(closed_streams);
  plan.signals = block_signals();

  // With the namespaces come capabilities in them, and the tool is of the same
  // user: until the command is executed it must not be able to trace us. Said
  // twice, because the change of rights may set it anew (fs.suid_dumpable).
  ::prctl(PR_SET_DUMPABLE, 0);
  // By a descriptor of the process: Linux 5.8 (setns(2)).
  if (::setns(door.pidfd.get(), flags) != 0)
    return last_error(kJoin, std::to_string(held.run.number));
  ::prctl(PR_SET_DUMPABLE, 0);

  auto [ours, theirs] = TRY(os::socket_pair(kJoin));
  auto child = TRY(os::fork_with(0, kJoin));  // the first process that is in the PID namespace
  if (child.pid == 0) become_command(plan, directory.get(), options.cwd, theirs.get());
  theirs.reset();
  const int status = TRY(wait_for_tool(std::move(child)));
  while (auto message = sandbox::receive_message(ours.get())) {
    if (message->kind == sandbox::Message::Kind::failed) return std::move(message->error);
  }
  return status;
}

}  // namespace rootlet
