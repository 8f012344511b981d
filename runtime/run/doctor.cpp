// SPDX-License-Identifier: MIT
#include "runtime/run/doctor.hpp"

#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/image/mount.hpp"
#include "runtime/os/process.hpp"
#include "runtime/os/process_tree.hpp"
#include "runtime/os/socket.hpp"
#include "runtime/run/enforcement.hpp"
#include "runtime/run/host_program.hpp"
#include "runtime/run/rendezvous.hpp"
#include "runtime/sandbox/build_root.hpp"
#include "runtime/sandbox/control.hpp"
#include "runtime/sandbox/network.hpp"
#include "runtime/sandbox/privileges.hpp"
#include "runtime/sandbox/user_namespace.hpp"

namespace rootlet {
namespace {

using sandbox::Message;

struct Probe {
  std::string_view name;
  bool needed;
  Status (*run)(const Caller&);
  std::string_view otherwise = {};
};

// --- in the new namespaces of a child --------------------------------------

Status map_ids(const Caller& caller) {
  return sandbox::write_own_maps(sandbox::own_ids(caller.uid, caller.gid));
}

Status make_network(const Caller&) {
  if (::unshare(CLONE_NEWNET) != 0) return last_error("create a network namespace");
  return sandbox::raise_interface("lo");
}

Status mount_proc(const Caller&) {
  if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0)
    return Done{};
  return sandbox::explain_proc_failure(last_error("mount proc", "/proc"));
}

Status mount_sysfs(const Caller&) {
  if (::mount("sysfs", "/sys", "sysfs", MS_RDONLY, nullptr) == 0) return Done{};
  return last_error("mount sysfs", "/sys");
}

Status mount_fuse(const Caller& caller) {
  const os::Fd fuse = TRY(image::open_fuse());
  return image::mount_fuse(fuse.get(), "/", {caller.uid, caller.gid});
}

Status mount_tmpfs(const Caller&) {
  if (::mount("tmpfs", "/dev", "tmpfs", 0, "size=64k") == 0) return Done{};
  return last_error("mount tmpfs", "/dev");
}

Status mount_overlay(const Caller&) {
  for (const char* directory : {"/dev/l", "/dev/u", "/dev/w"}) ::mkdir(directory, 0700);
  const char* options = "lowerdir=/dev/l,upperdir=/dev/u,workdir=/dev/w,userxattr";
  if (::mount("overlay", "/dev/l", "overlay", 0, options) == 0) return Done{};
  return last_error("mount overlay", "", "Linux 5.11 or later has it");
}

constexpr Probe kInside[] = {
    {"map of ids", true, map_ids},
    {"network namespace", true, make_network, "net=host does without"},
    {"sysfs of one's own", false, mount_sysfs, "parts of the host's /sys are shown"},
    {"FUSE", false, mount_fuse, "images are unpacked before they run"},
    {"tmpfs", true, mount_tmpfs},
    {"overlay file systems", false, mount_overlay, "missing mount points are made by binds"},
    // Last: with it the host's /proc is out of sight.
    {"proc of one's own", true, mount_proc, "best-effort shows the surrounding one"},
};

// --- in this process, or a child of the host's namespaces ------------------

Status read_proc(const Caller&) {
  auto status = os::read_file(AT_FDCWD, "/proc/self/status", 64);
  if (status.ok()) return Done{};
  Error error = std::move(status).error();
  error.hint = "mount /proc, which every run needs";
  return error;
}

Status find_filter(const Caller&) {
  // Without a program: EFAULT where there are filters, EINVAL where not (seccomp(2)).
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, nullptr, 0, 0);
  if (errno == EFAULT) return Done{};
  return last_error("install a filter", "", "a kernel with CONFIG_SECCOMP_FILTER has it");
}

Status find_scope(const Caller&) {
  if (sandbox::have_signal_scope()) return Done{};
  return plain_error("", "", "Landlock is older than ABI 6, or off",
                     "Linux 6.12 or later has it, with landlock in the list lsm= at boot");
}

template <long Call>
Status find_call(const Caller&) {
  if (::syscall(Call, -1, nullptr, -1L, nullptr, 0) >= 0) return Done{};
  if (errno == ENOSYS || errno == EPERM) return last_error("call");
  return Done{};
}

template <std::optional<std::uint64_t> Limits::*Field>
Status try_limit(const Caller& caller) {
  Limits limits;
  limits.*Field = std::uint64_t{1} << 20;
  std::vector<std::string> notes;
  auto held = Enforcement::prepare(limits, false, caller.uid,
                                   sandbox::own_ids(caller.uid, caller.gid), notes);
  if (held.ok()) return Done{};
  Error error = std::move(held).error();
  error.subject.clear();  // what was tried is nobody's wish
  return error;
}

Status find_rendezvous(const Caller& caller) {
  auto opened = Rendezvous::open(caller);
  if (!opened.ok()) return std::move(opened).error();
  return Done{};
}

Status find_program(std::string_view first, std::string_view second) {
  if (!find_host_program(first).empty() || !find_host_program(second).empty()) return Done{};
  return plain_error(
      "", "", "neither " + std::string(first) + " nor " + std::string(second) + " is in /usr/bin",
      "install one of them");
}

Status find_private_network(const Caller&) {
  TRY(find_program("pasta", "slirp4netns"));
  if (::access("/dev/net/tun", R_OK | W_OK) == 0) return Done{};
  return plain_error("", "", "/dev/net/tun is not there, or not open to you",
                     "chmod 666 /dev/net/tun, as root; it carries nothing by itself");
}

// An orphan that ends must not stay as a zombie: servers and inits of killed
// launchers are orphans.
Status have_reaper(const Caller&) {
  auto [ours, theirs] = TRY(os::socket_pair("start a child"));
  auto child = TRY(os::fork_with(0, "start a child"));
  if (child.pid == 0) {
    auto orphan = os::fork_with(0, "start a child");
    if (orphan.ok() && orphan.value().pid == 0) ::_exit(0);
    if (orphan.ok())
      (void)sandbox::send_message(theirs.get(), {Message::Kind::note, orphan.value().pid, "", {}});
    ::_exit(0);
  }
  theirs.reset();
  const auto message = sandbox::receive_message(ours.get());
  os::wait_for(child.pid);
  if (!message) return plain_error("start a child", "", "it could not fork");
  for (int i = 0; i < 50; ++i) {
    const auto facts = os::process_facts(message->number);
    if (!facts || facts->parent == ::getpid()) return Done{};
    ::usleep(10000);
  }
  return plain_error("", "", "whoever adopts orphans here does not reap them",
                     "start the container with an init (docker run --init)");
}

constexpr Probe kBefore[] = {{"a mounted /proc", true, read_proc}};
constexpr Probe kBeside[] = {
    {"system-call filters", true, find_filter, "seccomp=none does without"},
    {"Landlock scope of signals", false, find_scope,
     "kill(0) of a tool in a terminal reaches its job"},
    {"openat2", false, find_call<SYS_openat2>, "paths are walked one name at a time"},
    {"close_range", false, find_call<SYS_close_range>, "descriptors are closed one by one"},
    {"mount_setattr", false, find_call<SYS_mount_setattr>, "mounts are changed one by one"},
    {"limit: memory", false, try_limit<&Limits::memory>, "memory=SIZE is refused"},
    {"limit: cpus", false, try_limit<&Limits::cpus>, "cpus=NUMBER is refused"},
    {"limit: pids", false, try_limit<&Limits::pids>, "pids=NUMBER is refused"},
    {"shared image servers", false, find_rendezvous, "each run has a server of its own"},
    {"ranges of ids", false, [](const Caller&) { return find_program("newuidmap", "newuidmap"); },
     "uid-map and gid-map have one id"},
    {"private network", false, find_private_network, "net is none or host"},
    {"a parent that reaps orphans", false, have_reaper,
     "ended processes of killed runs stay as zombies"},
};

Finding found(const Probe& probe, Status status) {
  Finding finding{
      std::string(probe.name), probe.needed, Finding::State::ok, {}, std::string(probe.otherwise)};
  if (status.ok()) return finding;
  finding.state = Finding::State::missing;
  finding.why = std::move(status).error();
  return finding;
}

struct Kind {
  std::string_view name;
  unsigned long flag;
  std::string_view otherwise;
};
constexpr Kind kKinds[] = {{"user namespaces", 0, ""},
                           {"mount namespaces", CLONE_NEWNS, ""},
                           {"PID namespaces", CLONE_NEWPID, ""},
                           {"IPC namespaces", CLONE_NEWIPC, "ipc=host does without"},
                           {"UTS namespaces", CLONE_NEWUTS, "uts=host does without"},
                           {"cgroup namespaces", CLONE_NEWCGROUP, "cgroup=host does without"}};
constexpr unsigned long kAll =
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

void try_namespaces(std::vector<Finding>& findings) {
  for (const Kind& kind : kKinds) {
    auto child = os::fork_with(CLONE_NEWUSER | kind.flag, "create the namespaces");
    if (child.ok() && child.value().pid == 0) ::_exit(0);
    if (child.ok()) os::wait_for(child.value().pid);
    Status status{Done{}};
    if (!child.ok()) status = sandbox::explain_namespace_failure(child.error().code);
    findings.push_back(found({kind.name, true, nullptr, kind.otherwise}, std::move(status)));
  }
}

// One process tries them in turn, as an init would, and tells how each went.
void try_inside(std::vector<Finding>& findings, const Caller& caller) {
  const std::size_t first = findings.size();
  for (const Probe& probe : kInside) {
    findings.push_back({std::string(probe.name),
                        probe.needed,
                        Finding::State::unknown,
                        {},
                        std::string(probe.otherwise)});
  }
  auto pair = os::socket_pair("start a child");
  auto child = os::fork_with(kAll, "create the namespaces");
  if (!pair.ok() || !child.ok()) return;
  if (child.value().pid == 0) {
    ::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr);
    for (const Probe& probe : kInside) {
      auto status = probe.run(caller);
      const auto kind = status.ok() ? Message::Kind::started : Message::Kind::failed;
      (void)sandbox::send_message(pair.value().second.get(),
                                  {kind, 0, "", status.ok() ? Error{} : status.error()});
    }
    ::_exit(0);
  }
  pair.value().second.reset();
  for (std::size_t i = first; i < findings.size(); ++i) {
    const auto message = sandbox::receive_message(pair.value().first.get());
    if (!message) break;
    const bool ok = message->kind == Message::Kind::started;
    findings[i].state = ok ? Finding::State::ok : Finding::State::missing;
    findings[i].why = message->error;
  }
  os::wait_for(child.value().pid);
}

}  // namespace

std::vector<Finding> examine_host(const Caller& caller) {
  std::vector<Finding> findings;
  for (const Probe& probe : kBefore) findings.push_back(found(probe, probe.run(caller)));
  try_namespaces(findings);
  try_inside(findings, caller);
  for (const Probe& probe : kBeside) findings.push_back(found(probe, probe.run(caller)));
  return findings;
}

int verdict(const std::vector<Finding>& findings) {
  int result = 0;
  for (const Finding& finding : findings) {
    if (!finding.needed || finding.state == Finding::State::ok) continue;
    if (finding.state == Finding::State::missing) return 1;
    result = 125;
  }
  return result;
}

std::string findings_text(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    std::string line = finding.name;
    line.resize(std::max<std::size_t>(line.size() + 1, 30), ' ');
    if (finding.state != Finding::State::missing) {
      text += line + (finding.state == Finding::State::ok ? "ok\n" : "not tried\n");
      continue;
    }
    Error why = finding.why;
    why.action = finding.needed ? "MISSING" : "missing";
    text += line + printable(why.message()) + "\n";
    if (!finding.otherwise.empty()) text += "    without it: " + finding.otherwise + "\n";
    if (!why.hint.empty()) text += "    hint: " + printable(why.hint) + "\n";
  }
  constexpr const char* kVerdicts[] = {"runs work here", "runs with the defaults do not work here"};
  const int result = verdict(findings);
  return text + (result == 125 ? "could not tell whether runs work here" : kVerdicts[result]) +
         "\n";
}

}  // namespace rootlet
