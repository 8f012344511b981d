// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/base/result.hpp"
#include "runtime/sandbox/plan.hpp"

namespace rootlet::sandbox {

// Called in the new user namespace: the maps of one uid and of one gid, as far
// as they are init's to write. For the gid's it gives up setgroups(2);
// supplementary groups stay in force (user_namespaces(7)).
Status write_own_maps(const Ids& ids);

// Takes on the ids of the run where they are not the caller's. After the maps,
// while the process has its capabilities.
Status become(const Ids& ids);

// Init's death with the launcher, for the time until it watches the control
// socket. A change of ids undoes it (prctl(2)).
void end_with_the_launcher();

// Nobody inside may make a cgroup namespace any more: with a nested user
// namespace it would let the tool mount the caller's own control group, and
// write its cgroup.kill. `user`: no user namespace either. After the maps,
// before the tool.
Status forbid_namespaces(bool user);

// Why the namespaces could not be made, in terms of the host's knobs: each
// cause has its own sentence and remedy. `code` is the errno of clone(2).
Error explain_namespace_failure(int code);

// A container runtime's filter is on this process (Seccomp: 2 in
// /proc/self/status), which makes EPERM its doing rather than the kernel's.
bool under_seccomp_filter();

}  // namespace rootlet::sandbox
