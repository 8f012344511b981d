// SPDX-License-Identifier: MIT
#include "launcher/aliases.hpp"

#include <algorithm>
#include <array>

namespace rootlet {
namespace {

constexpr auto kAliases = std::to_array<Alias>({
    {"-B", "bind"},
    {"-v", "bind"},
    {"--volume", "bind"},
    {"-e", "clean-env"},
    {"--cleanenv", "clean-env"},
    {"-c", "profile", "contained"},
    {"--contain", "profile", "contained"},
    {"-C", "profile", "isolated"},
    {"--containall", "profile", "isolated"},
    {"-H", "home"},
    {"--no-home", "home", "none"},
    {"--pwd", "cwd"},
    {"-W", "tmp"},
    {"--workdir", "tmp"},
    {"-S", "writable"},
    {"--scratch", "writable"},
    {"-o", "overlay"},
    {"--writable-tmpfs", "overlay", "tmpfs"},
    {"-p", "pid", "private"},
    {"--pid", "pid", "private", "private host"},
    {"-i", "ipc", "private"},
    {"--ipc", "ipc", "private", "private host"},
    {"-n", "net", "none"},
    {"--net", "net", "none", "none private host"},
    {"--network", "net"},
    {"--uts", "uts", "private", "private host"},
    {"-f", "fake-root"},
    {"--fakeroot", "fake-root"},
    {"--pids-limit", "pids"},
    {"--unsquash", "mount", "extract"},
    {"-h", "help"},
});

constexpr auto kForeign = std::to_array<Foreign>({
    {"--compat", "Apptainer's is --containall --writable-tmpfs; ours is --profile=compat"},
    {"-w", "an image cannot be written: --overlay=DIR keeps changes, --writable-tmpfs not"},
    {"--no-mount", "--contain and --containall leave out what Apptainer mounts"},
    {"--no-env", "--clean-env, then --pass-env=GLOB for what shall pass"},
    {"--security", "--seccomp=default|none"},
    {"--add-caps", "no tool has a capability"},
    {"--keep-privs", "no tool has a capability"},
    {"--allow-setuid", "no tool gains rights by setuid programs"},
    {"--dns", "--bind=FILE:/etc/resolv.conf"},
    {"--sharens", "every run has namespaces of its own"},
    {"--device", "--bind=/dev/NAME"},
    {"--nvccli", "--nv"},
    {"--app", "--exec=PROGRAM"},
    {"--apply-cgroups", "--memory, --cpus and --pids"},
    {"--fusemount", "--bind what the host has mounted"},
});

constexpr std::string_view kGranted[] = {"--no-init", "--no-privs", "--userns", "-u", "--no-eval"};

}  // namespace

std::span<const Alias> aliases() { return kAliases; }
std::span<const Foreign> foreign_options() { return kForeign; }

const Alias* find_alias(std::string_view spelled) {
  const auto found = std::find_if(kAliases.begin(), kAliases.end(),
                                  [&](const Alias& alias) { return alias.spelled == spelled; });
  return found == kAliases.end() ? nullptr : &*found;
}

bool is_granted(std::string_view spelled) {
  return std::find(std::begin(kGranted), std::end(kGranted), spelled) != std::end(kGranted);
}

}  // namespace rootlet
