// SPDX-License-Identifier: MIT
#include "runtime/sandbox/tool.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <vector>

#include "runtime/os/fd.hpp"
#include "runtime/os/process.hpp"
#include "runtime/sandbox/control.hpp"
#include "runtime/sandbox/devices.hpp"
#include "runtime/sandbox/first_look.hpp"
#include "runtime/sandbox/network.hpp"
#include "runtime/sandbox/privileges.hpp"
#include "runtime/sandbox/seccomp.hpp"
#include "runtime/sandbox/tool_steps.hpp"
#include "runtime/sandbox/user_namespace.hpp"

namespace rootlet::sandbox {
namespace {

// A name without a slash is looked up in PATH, which names places inside. One
// that is there and may not be executed is told from one that is not there.
std::string find_program(const Plan& plan) {
  if (plan.program.find('/') != std::string::npos) return plan.program;
  std::string closed;
  for (const std::string& variable : plan.env) {
    if (!variable.starts_with("PATH=")) continue;
    std::string_view rest = std::string_view(variable).substr(5);
    while (!rest.empty()) {
      const std::size_t colon = std::min(rest.find(':'), rest.size());
      const std::string candidate = std::string(rest.substr(0, colon)) + "/" + plan.program;
      if (::access(candidate.c_str(), X_OK) == 0) return candidate;
      if (errno == EACCES && closed.empty()) closed = candidate;
      rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
  }
  return closed.empty() ? plan.program : closed;
}

// The program, or what is to run instead where there is none. Returns the
// errno of the program.
int execute(const Plan& plan, const std::string& program) {
  const std::vector<char*> argv = pointers(plan.argv);
  const std::vector<char*> env = pointers(plan.env);
  int code = ENOENT;  // a bare name that PATH does not find is not one in the directory
  if (program.find('/') != std::string::npos) {
    ::execve(program.c_str(), argv.data(), env.data());
    code = errno;
  }
  if (code == ENOENT && !plan.instead.empty()) {
    ::execve(plan.instead[0].c_str(), pointers(plan.instead).data(), env.data());
  }
  return code;
}

Status lower_rlimit(decltype(RLIMIT_FSIZE) resource, std::uint64_t value) {
  rlimit limit{};
  ::getrlimit(resource, &limit);
  limit.rlim_cur = limit.rlim_max = std::min<rlim_t>(limit.rlim_max, value);
  if (::setrlimit(resource, &limit) != 0) return last_error("limit the run");
  return Done{};
}

// Both kinds hold for all that the tool starts, and without capabilities it can
// leave neither.
Status take_on_limits(const Plan& plan) {
  for (const int door : plan.groups) {
    if (::write(door, "0", 1) < 0) return last_error("limit the run", "control group");
  }
  if (plan.file_size) TRY(lower_rlimit(RLIMIT_FSIZE, *plan.file_size));
  if (plan.processes) TRY(lower_rlimit(RLIMIT_NPROC, *plan.processes));
  return Done{};
}

// From the caller's directory on the host to the tool's inside.
Status go_to(const Plan& plan, const std::string& wanted, int control) {
  struct stat before {
  }, after{};
  const bool known = ::stat(".", &before) == 0;
  // pivot_root(2) moved our root, but our directory is still the caller's on
  // the host, and a path like "." or /proc/self/cwd would keep us there. Out
  // of it before any path of the image or the user is looked at.
  if (::chdir("/") != 0) return last_error("leave the host's directory", "/");
  // With the tool's own rights, so it starts nowhere that it may not go.
  if (::chdir(wanted.c_str()) == 0) {
    if (!plan.keep_cwd) return Done{};
    const bool same = known && ::stat(".", &after) == 0 && before.st_dev == after.st_dev &&
                      before.st_ino == after.st_ino;
    if (same) return Done{};
    errno = ENOENT;
  }
  Error error = last_error("change to the directory", wanted);
  if (plan.keep_cwd) {
    error.action = "keep the current directory";
    error.reason = "it is private and empty inside";
    error.hint = "name it, or a directory above it, as a writable subtree";
  }
  if (wanted == plan.fallback_cwd || ::chdir(plan.fallback_cwd.c_str()) != 0) return error;
  (void)send_message(
      control,
      {Message::Kind::note, 0, error.message() + "; starting in " + plan.fallback_cwd, {}});
  return Done{};
}

Status make_network(const Plan& plan) {
  if (!plan.own_network) return Done{};
  if (::unshare(CLONE_NEWNET) != 0) return last_error("create a network namespace");
  return raise_interface("lo");
}

Status give_up_rights(const Plan& plan) {
  // While there are capabilities, for a process without no_new_privs may
  // restrict itself only with one (landlock_restrict_self(2), seccomp(2)).
  // Abstract sockets belong to a network namespace: only the host's need it.
  TRY(scope_signals(!plan.own_network && plan.scope_sockets));
  if (plan.filter) TRY(install_filter(default_filter()));
  if (plan.ids.many()) TRY(install_own_filters(plan));
  TRY(drop_capabilities(capabilities_of_tool(plan.ids)));
  // With several ids a set-id program of the image has its effect.
  // Rules cannot be entered without; they are worth more than a set-id program.
  if (!plan.ids.many() || !plan.rules.empty()) TRY(set_no_new_privileges());
  return Done{};
}

// As get_ready(), with init's work in between that can be done beside it.
Status help_and_get_ready(const Plan& plan, int channel) {
  TRY(make_network(plan));
  TRY(take_on_limits(plan));
  TRY(become(plan.ids));
  {
    const Handed handed = TRY(fill_dev(channel));
    TRY(send_message(channel, {Message::Kind::started, 0, "", {}}));
    if (plan.root == RootKind::image) look_at_program(handed.root.get(), plan.program);
  }
  return give_up_rights(plan);
}

[[noreturn]] void become_tool(const Plan& plan, int control, int channel, bool own_group) {
  std::vector<int> kept = plan.pass_fds;
  kept.insert(kept.end(), {0, 1, 2, control, channel, plan.watcher});
  kept.insert(kept.end(), plan.groups.begin(), plan.groups.end());
  if (plan.rules_door >= 0) kept.push_back(plan.rules_door);
  os::close_all_but(kept);
  if (own_group) ::setpgid(0, 0);
  auto ready = help_and_get_ready(plan, channel);
  if (!ready.ok()) give_up(control, std::move(ready).error());

  const auto message = receive_message(channel);
  if (!message) ::_exit(125);  // init gave up, and says why itself
  auto there = go_to(plan, message->text, control);
  if (!there.ok()) give_up(control, std::move(there).error());

  start_program(plan, control);
}

bool has_terminal() {
  const int fd = ::open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd >= 0) ::close(fd);
  return fd >= 0;
}

}  // namespace

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

namespace {

// What the kernel takes for a part of the interpreter's name (fs/binfmt_script.c).
bool has_windows_first_line(const std::string& program) {
  const os::Fd file(::open(program.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  char line[256];
  const ssize_t got = file.valid() ? ::read(file.get(), line, sizeof line) : -1;
  const std::string_view text(line, got > 0 ? static_cast<std::size_t>(got) : 0);
  return text.starts_with("#!") && text.substr(0, text.find('\n')).ends_with('\r');
}

}  // namespace

Error explain(int code, const std::string& program, bool image) {
  Error error{code, "run", program, "", ""};
  error.exit_code = code == ENOENT || code == ENOTDIR ? 127 : 126;
  struct stat status {};
  if (code == ENOENT && ::stat(program.c_str(), &status) == 0) {
    error.exit_code = 126;
    error.reason = std::string("its interpreter or dynamic loader is not in the ") +
                   (image ? "image" : "root");
    if (image) error.hint = "rebuild the image with it (rootlet build names it)";
    if (has_windows_first_line(program)) {
      error.reason = "its #! line ends in a carriage return, as lines do on Windows";
      error.hint = "sed -i 's/\\r$//' FILE takes them away";
    }
  } else if (code == ENOENT) {
    error.reason = image ? "the image has no such program" : "the root has no such program";
    if (!image && program == "/AppRun") {
      error.hint = "name a program: --exec=PROGRAM, or rootlet exec DIRECTORY PROGRAM";
    }
  } else if (code == E2BIG) {
    error.reason = "arguments and environment are longer than the kernel takes";
    error.hint = "hand the arguments over in a file, or raise the stack limit (ulimit -s)";
  } else if (code == ENOEXEC) {
    error.reason = "it is no program for this machine, and no script with a #! line";
  }
  return error;
}

[[noreturn]] void give_up(int control, Error error) {
  const int code = error.exit_code;
  (void)send_message(control, {Message::Kind::failed, 0, "", std::move(error)});
  ::_exit(code);
}

Status install_own_filters(const Plan& plan) {
  for (const Filter& own : plan.filters) {
    const auto* program = reinterpret_cast<const sock_filter*>(own.program.data());
    auto installed = install_filter({program, own.program.size() / sizeof(sock_filter)});
    if (installed.ok()) continue;
    Error error = std::move(installed).error();
    error.subject = own.file;
    error.hint = "the kernel does not take this program: was it compiled for this machine?";
    return error;
  }
  return Done{};
}

Status get_ready(const Plan& plan, int channel) {
  TRY(make_network(plan));
  TRY(send_message(channel, {Message::Kind::started, 0, "", {}}));
  TRY(take_on_limits(plan));
  TRY(become(plan.ids));
  return give_up_rights(plan);
}

[[noreturn]] void start_program(const Plan& plan, int control) {
  const std::string program = find_program(plan);
  for (const int fd : plan.pass_fds) ::fcntl(fd, F_SETFD, 0);
  for (const int fd : plan.closed_streams) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  if (plan.signals.ignores_children) ::signal(SIGCHLD, SIG_IGN);
  ::sigprocmask(SIG_SETMASK, &plan.signals.mask, nullptr);
  if (!plan.rules.empty()) start_under_rules(plan, control, program);
  // Last: what it refuses is not known. Whatever follows is the tool's.
  if (!plan.ids.many()) {
    auto installed = install_own_filters(plan);
    if (!installed.ok()) give_up(control, std::move(installed).error());
  }
  if (plan.be_watched != nullptr) {
    auto watched = plan.be_watched(plan);
    if (!watched.ok()) give_up(control, std::move(watched).error());
  }
  give_up(control, explain(execute(plan, program), program, plan.root == RootKind::image));
}

// A process group crosses PID namespaces: kill(0, ...) of a tool that shares the
// caller's would reach the caller. Landlock's signal scope stops that and leaves
// job control as it is; before Linux 6.12 a group of its own does, where there is
// no terminal whose foreground it would lose.
bool needs_own_group() { return !have_signal_scope() && !has_terminal(); }

Result<Tool> prepare_tool(const Plan& plan, int control) {
  const bool own_group = needs_own_group();
  auto [ours, theirs] = TRY(os::socket_pair("start the tool"));
  auto child = TRY(os::fork_with(0, "start the tool"));
  if (child.pid == 0) become_tool(plan, control, theirs.get(), own_group);
  return Tool{child.pid, std::move(child.pidfd), own_group, std::move(ours)};
}

Status wait_for_help(const Tool& tool) {
  // It gave up, and has said why; its end ends us (reap.cpp) or this does.
  if (receive_message(tool.channel.get())) return Done{};
  return plain_error("build /dev", "", "the process that becomes the tool is gone");
}

Status join_network_of(const Tool& tool) {
  constexpr std::string_view kJoin = "join the network namespace";
  if (::setns(tool.pidfd.get(), CLONE_NEWNET) == 0) return Done{};
  // Linux < 5.8 takes no pidfd. The host's /proc, still in sight, knows the
  // tool as our child, and by another number than we do.
  if (errno != EINVAL && errno != EBADF) return last_error(kJoin);
  auto child = TRY(os::read_file(AT_FDCWD, "/proc/thread-self/children", 64));
  child.resize(child.find_first_of(" \n") == std::string::npos ? child.size()
                                                               : child.find_first_of(" \n"));
  const os::Fd network = TRY(os::open_at(AT_FDCWD, "/proc/" + child + "/ns/net", O_RDONLY));
  if (::setns(network.get(), CLONE_NEWNET) != 0) return last_error(kJoin);
  return Done{};
}

Status let_run(const Tool& tool, const std::string& cwd) {
  return send_message(tool.channel.get(), {Message::Kind::note, 0, cwd, {}});
}

}  // namespace rootlet::sandbox
