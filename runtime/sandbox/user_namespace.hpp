// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/base/result.hpp"
#include "runtime/sandbox/plan.hpp"

namespace rootlet::sandbox {

// Called in the new user namespace: gives up setgroups(2) and maps one uid
// and one gid. Supplementary groups stay in force (user_namespaces(7)).
Status write_id_maps(const Plan& plan);

// Nobody inside may make a cgroup namespace any more: with a nested user
// namespace it would let the tool mount the caller's own control group, and
// write its cgroup.kill. After the maps, before the tool.
Status forbid_cgroup_namespaces();

// Why the namespaces could not be made, in terms of the host's knobs: each
// cause has its own sentence and remedy. `code` is the errno of clone(2).
Error explain_namespace_failure(int code);

// A container runtime's filter is on this process (Seccomp: 2 in
// /proc/self/status), which makes EPERM its doing rather than the kernel's.
bool under_seccomp_filter();

}  // namespace rootlet::sandbox
