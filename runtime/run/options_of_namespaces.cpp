// SPDX-License-Identifier: MIT
#include "runtime/run/option_rows.hpp"
#include "runtime/sandbox/id_map.hpp"

// Network, ids, names, views.
namespace rootlet {
namespace {

using Share = std::array<std::pair<std::string_view, bool>, 2>;
constexpr std::array<std::pair<std::string_view, Network>, 3> kNet{
    {{"none", Network::none}, {"host", Network::host}, {"private", Network::connected}}};
constexpr Share kNested{{{"allow", true}, {"deny", false}}};
constexpr Share kShare{{{"private", false}, {"host", true}}};

// Letters, digits and the other characters given, the first no mark.
bool is_name(const std::string& text, std::size_t longest, std::string_view marks) {
  if (text.empty() || text.size() > longest || text[0] == '-' || text[0] == '.') return false;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && marks.find(c) == std::string_view::npos) return false;
  }
  return true;
}

Status set_hostname(Options& options, const std::string& value) {
  if (!is_name(value, 64, "-._")) {
    return invalid_value("hostname", value, "NAME, of 1 to 64 letters, digits, '-' and '.'");
  }
  options.hostname = value;
  return Done{};
}

Status set_veth(Options& options, const std::string& value) {
  if (!is_name(value, 15, "-._")) {  // IFNAMSIZ - 1
    return invalid_value("veth", value, "NAME, of 1 to 15 letters, digits, '-', '.' and '_'");
  }
  options.veth = value;
  return Done{};
}

Status set_map(std::optional<std::string>& to, std::string_view option, const std::string& value) {
  to = TRY(sandbox::parse_id_map(option, value));
  return Done{};
}

using O = Options;
using V = const std::string;

constexpr OptionRow kRows[] = {
    {"net", "none|host|private", "the network (none: loopback alone; private: pasta, slirp4netns)",
     [](O& o, V& v) { return set_word(o.network, "net", v, kNet); }},
    {"veth", "NAME", "a pair of interfaces with addresses and a route (root)", set_veth},
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
    {"time", "private|host", "the clocks since boot",
     [](O& o, V& v) { return set_word(o.time_host, "time", v, kShare); }},
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
