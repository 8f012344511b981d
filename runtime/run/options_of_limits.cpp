// SPDX-License-Identifier: MIT
#include "runtime/run/option_rows.hpp"

// What the tool may call, how much it may take, how long it may run.
namespace rootlet {
namespace {

constexpr std::array<std::pair<std::string_view, bool>, 2> kSeccomp{
    {{"default", true}, {"none", false}}};

using O = Options;
using V = const std::string;

constexpr OptionRow kRows[] = {
    {"seccomp", "default|none", "the system-call filter",
     [](O& o, V& v) { return set_word(o.seccomp, "seccomp", v, kSeccomp); }},
    {"rules", "FILE", "", [](O&, V&) { return not_here("rules"); }},
    {"memory", "SIZE", "", [](O&, V&) { return not_here("memory"); }},
    {"cpus", "N", "", [](O&, V&) { return not_here("cpus"); }},
    {"pids", "N", "", [](O&, V&) { return not_here("pids"); }},
    {"file-size", "SIZE", "", [](O&, V&) { return not_here("file-size"); }},
    {"timeout", "SECONDS", "", [](O&, V&) { return not_here("timeout"); }},
};

}  // namespace

std::span<const OptionRow> options_of_limits() { return kRows; }

}  // namespace rootlet
