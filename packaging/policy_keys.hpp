// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string_view>

namespace rootlet::packaging {

// What a policy may say about isolation: the options of interface section 2.
struct IsolationKey {
  enum class Form {
    kFlag,        // true or false
    kText,        // a string; a number is taken as its digits
    kList,        // a string or an array of strings: a repeatable option
    kFlagOrText,  // true, or a string
    kForbidden,   // the caller's alone: never read from an image
  };
  std::string_view name;
  Form form;
};

inline constexpr std::array kIsolationKeys = std::to_array<IsolationKey>({
    {"profile", IsolationKey::Form::kText},
    {"bind", IsolationKey::Form::kList},
    {"input", IsolationKey::Form::kList},
    {"output", IsolationKey::Form::kList},
    {"bind-args", IsolationKey::Form::kFlagOrText},
    {"writable", IsolationKey::Form::kList},
    {"overlay", IsolationKey::Form::kText},
    {"tmp", IsolationKey::Form::kText},
    {"net", IsolationKey::Form::kText},
    {"veth", IsolationKey::Form::kText},
    {"ipc", IsolationKey::Form::kText},
    {"pid", IsolationKey::Form::kText},
    {"uts", IsolationKey::Form::kText},
    {"cgroup", IsolationKey::Form::kText},
    {"user-namespaces", IsolationKey::Form::kText},
    {"time", IsolationKey::Form::kText},
    {"hostname", IsolationKey::Form::kText},
    {"uid-map", IsolationKey::Form::kText},
    {"gid-map", IsolationKey::Form::kText},
    {"fake-root", IsolationKey::Form::kFlag},
    {"home", IsolationKey::Form::kText},
    {"cwd", IsolationKey::Form::kText},
    {"env", IsolationKey::Form::kList},
    {"env-file", IsolationKey::Form::kList},
    {"clean-env", IsolationKey::Form::kFlag},
    {"pass-env", IsolationKey::Form::kList},
    {"exec", IsolationKey::Form::kText},
    {"seccomp", IsolationKey::Form::kText},
    {"rules", IsolationKey::Form::kText},
    {"memory", IsolationKey::Form::kText},
    {"cpus", IsolationKey::Form::kText},
    {"pids", IsolationKey::Form::kText},
    {"file-size", IsolationKey::Form::kText},
    {"timeout", IsolationKey::Form::kText},
    {"attach", IsolationKey::Form::kList},
    {"data-path", IsolationKey::Form::kList},
    {"record", IsolationKey::Form::kText},
    {"nv", IsolationKey::Form::kFlag},
    {"rocm", IsolationKey::Form::kFlag},
    {"gui", IsolationKey::Form::kFlag},
    {"verbose", IsolationKey::Form::kFlag},
    {"no-isolation", IsolationKey::Form::kForbidden},
    {"best-effort", IsolationKey::Form::kForbidden},
    {"image", IsolationKey::Form::kForbidden},
    {"pass-fd", IsolationKey::Form::kForbidden},
    {"status-fd", IsolationKey::Form::kForbidden},
    {"status", IsolationKey::Form::kForbidden},
    {"die-with-parent", IsolationKey::Form::kForbidden},
    {"keep", IsolationKey::Form::kForbidden},
    {"cache", IsolationKey::Form::kForbidden},
    {"mount", IsolationKey::Form::kForbidden},
    {"dry-run", IsolationKey::Form::kForbidden},
    {"doctor", IsolationKey::Form::kForbidden},
});

}  // namespace rootlet::packaging
