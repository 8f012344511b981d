// SPDX-License-Identifier: MIT
#include "runtime/sandbox/user_namespace.hpp"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

#include "runtime/base/text.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet::sandbox {
namespace {

constexpr std::string_view kCreate = "create a user namespace";
// The one way left where the host refuses namespaces.
std::string or_without() {
  return "; or run without isolation: " + option_text("no-isolation") +
         " (absolute paths may not work)";
}

// The first bytes of a file under /proc/sys, or "" where there is none.
std::string knob(const char* path) {
  auto text = os::read_file(AT_FDCWD, path, 64);
  return text.ok() ? text.value() : std::string();
}

bool inside_chroot() {
  // A process whose root is not the root of its mount namespace may not make
  // user namespaces (clone(2), EPERM, since Linux 3.9); its mountinfo has no
  // "/" entry.
  auto info = os::read_file(AT_FDCWD, "/proc/self/mountinfo", 1u << 20);
  return info.ok() && info.value().find(" / / ") == std::string::npos &&
         info.value().find(" / rw") == std::string::npos &&
         info.value().find(" / ro") == std::string::npos;
}

}  // namespace

bool under_seccomp_filter() {
  auto status = os::read_file(AT_FDCWD, "/proc/self/status", 8192);
  return status.ok() && status.value().find("Seccomp:\t2") != std::string::npos;
}

Error explain_namespace_failure(int code) {
  Error error{code, std::string(kCreate), "", "", ""};
  if (code == ENOSPC || code == EUSERS) {
    // errno's own text ("No space left on device") sends people to the disk.
    const bool off = knob("/proc/sys/user/max_user_namespaces") == "0\n";
    error.subject = "user.max_user_namespaces";
    error.reason = off ? "user namespaces are turned off on this host"
                       : "the limit of user namespaces (or of their nesting) is reached";
    error.hint = "an administrator can raise it: sysctl user.max_user_namespaces=15000";
  } else if (knob("/proc/sys/kernel/unprivileged_userns_clone") == "0\n") {
    error.subject = "kernel.unprivileged_userns_clone";
    error.reason = "user namespaces are reserved to root on this host";
    error.hint = "an administrator can allow them: sysctl kernel.unprivileged_userns_clone=1";
  } else if (code == EPERM && under_seccomp_filter()) {
    error.reason = "the filter of the surrounding container refuses it";
    error.hint =
        "start the container with --security-opt seccomp=unconfined "
        "--security-opt systempaths=unconfined --device /dev/fuse";
  } else if (code == EPERM && inside_chroot()) {
    error.reason = "the kernel refuses it inside a chroot";
    error.hint = "run it outside the chroot";
  } else if (code == EINVAL || code == ENOSYS) {
    error.reason = "this kernel has no user namespaces (CONFIG_USER_NS, Linux 3.8 or later)";
    error.hint = "use a newer kernel";
  } else {
    error.hint = "the host forbids it; its administrator knows by which rule";
  }
  error.hint += or_without();
  return error;
}

Status write_own_maps(const Ids& ids) {
  constexpr std::string_view kMap = "map the user's ids";
  const auto explain = [](Error error) {
    // Ubuntu 23.10+: the namespace is made, but without capabilities.
    if (knob("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1\n") {
      error.hint =
          "AppArmor forbids it on this host: sysctl "
          "kernel.apparmor_restrict_unprivileged_userns=0, or a profile that allows userns" +
          or_without();
    }
    return error;
  };
  if (ids.uid_writer == Ids::Writer::init) {
    auto uid = os::write_file("/proc/self/uid_map", ids.uids, kMap);
    if (!uid.ok()) return explain(uid.error());
  }
  if (ids.gid_writer == Ids::Writer::init) {
    // Since Linux 3.19 an unprivileged process may write gid_map only after it
    // gave up setgroups(2); older kernels have no such file. user_namespaces(7).
    auto denied = os::write_file("/proc/self/setgroups", "deny", kMap);
    if (!denied.ok() && denied.error().code != ENOENT) return explain(denied.error());
    auto gid = os::write_file("/proc/self/gid_map", ids.gids, kMap);
    if (!gid.ok()) return explain(gid.error());
  }
  return Done{};
}

Status become(const Ids& ids) {
  constexpr std::string_view kBecome = "become an id of the map";
  if (!ids.become) return Done{};
  // The caller's groups are no more this process's than his uid is. Where
  // setgroups(2) was given up they stay.
  if (ids.gid_writer != Ids::Writer::init && ::syscall(SYS_setgroups, 0, nullptr) != 0) {
    return last_error(kBecome, "groups");
  }
  // The system calls themselves: libc's functions care for threads.
  if (::syscall(SYS_setresgid, ids.gid, ids.gid, ids.gid) != 0) return last_error(kBecome, "gid");
  if (::syscall(SYS_setresuid, ids.uid, ids.uid, ids.uid) != 0) return last_error(kBecome, "uid");
  // Init and the tool's process still look at each other; prctl(2) tells that a
  // change of ids takes it away.
  if (::prctl(PR_SET_DUMPABLE, 1) != 0) return last_error(kBecome);
  return Done{};
}

void end_with_the_launcher() { ::prctl(PR_SET_PDEATHSIG, SIGKILL); }

Status forbid_namespaces(bool user) {
  // Linux 4.9 (namespaces(7), /proc/sys/user). Older kernels have no
  // cgroup.kill and no such file.
  auto written =
      os::write_file("/proc/sys/user/max_cgroup_namespaces", "0", "forbid new cgroup namespaces");
  if (!written.ok() && written.error().code != ENOENT) return written;
  if (!user) return Done{};
  return os::write_file("/proc/sys/user/max_user_namespaces", "0", "forbid new user namespaces");
}

}  // namespace rootlet::sandbox
