// SPDX-License-Identifier: MIT
#include "runtime/run/option_rows.hpp"
#include "runtime/sandbox/id_map.hpp"

// Network, ids, names, views.
namespace rootlet {
namespace {

using Share = std::array<std::pair<std::string_view, bool>, 2>;
constexpr Share kNet{{{"none", false}, {"host", true}}};
constexpr Share kNested{{{"allow", true}, {"deny", false}}};
constexpr Share kShare{{{"private", false}, {"host", true}}};

Status set_hostname(Options& options, const std::string& value) {
  if (value.empty() || value.size() > 64) return invalid_value("hostname", value, "NAME");
  options.hostname = value;
  return Done{};
}

Status set_map(std::optional<std::string>& to, std::string_view option, const std::string& value) {
  to = TRY(sandbox::parse_id_map(option, value));
  return Done{};
}

using O = Options;
using V = const std::string;

constexpr OptionRow kRows[] = {
    {"net", "none|host", "the network (none: loopback alone)",
     [](O& o, V& v) { return set_word(o.net_host, "net", v, kNet); }},
    {"veth", "NAME", "", [](O&, V&) { return not_here("veth"); }},
    {"ipc", "private|host", "System V IPC and message queues",
     [](O& o, V& v) { return set_word(o.ipc_host, "ipc", v, kShare); }},
    {"pid", "private|host", "the view of processes",
     [](O& o, V& v) { return set_word(o.pid_host, "pid", v, kShare); }},
    {"uts", "private|host", "the host's name",
     [](O& o, V& v) { return set_word(o.uts_host, "uts", v, kShare); }},
    {"cgroup", "private|host", "the view of control groups",
     [](O& o, V& v) { return set_word(o.cgroup_host, "cgroup", v, kShare); }},
    {"user-namespaces", "allow|deny", "whether the tool may make user namespaces",
     [](O& o, V& v) { return set_word(o.user_namespaces, "user-namespaces", v, kNested); }},
    {"time", "private|host", "", [](O&, V&) { return not_here("time"); }},
    {"hostname", "NAME", "the host's name inside", set_hostname},
    {"uid-map", "INSIDE OUTSIDE COUNT[,...]", "which user ids exist inside (your own)",
     [](O& o, V& v) { return set_map(o.uid_map, "uid-map", v); }},
    {"gid-map", "INSIDE OUTSIDE COUNT[,...]", "which group ids exist inside (your own)",
     [](O& o, V& v) { return set_map(o.gid_map, "gid-map", v); }},
    {"fake-root", "", "be root inside, with your subordinate ids where you have some",
     [](O& o, V&) -> Status {
       o.fake_root = true;
       return Done{};
     }},
};

}  // namespace

std::span<const OptionRow> options_of_namespaces() { return kRows; }

}  // namespace rootlet
