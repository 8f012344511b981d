// SPDX-License-Identifier: MIT
#include <fcntl.h>

#include <array>
#include <cstdlib>

#include "runtime/run/options.hpp"

// Every option, once: name, value, help, and what it sets.
namespace rootlet {
namespace {

Error invalid(std::string_view option, const std::string& value, std::string_view valid) {
  Error error =
      plain_error("read the options", option_text(option), "'" + value + "' is not valid");
  error.hint = "valid: " + option_text(option) + "=" + std::string(valid);
  return error;
}

// One of a few words.
template <typename T, std::size_t N>
Status set_word(std::optional<T>& to, std::string_view option, const std::string& value,
                const std::array<std::pair<std::string_view, T>, N>& words) {
  std::string valid;
  for (const auto& [word, meaning] : words) {
    if (word == value) {
      to = meaning;
      return Done{};
    }
    valid += (valid.empty() ? "" : "|") + std::string(word);
  }
  return invalid(option, value, valid);
}

using Share = std::array<std::pair<std::string_view, bool>, 2>;
constexpr Share kNet{{{"none", false}, {"host", true}}};
constexpr Share kShare{{{"private", false}, {"host", true}}};

bool is_absolute(const std::string& path) { return !path.empty() && path[0] == '/'; }

Status set_bind(Options& options, const std::string& value) {
  constexpr std::string_view kForm = "SRC[:DST[:ro|rw]]";
  const std::vector<std::string> parts = split_escaped(value, ':');
  if (parts.size() > 3 || parts[0].empty()) return invalid("bind", value, kForm);
  Bind bind{parts[0], parts.size() > 1 && !parts[1].empty() ? parts[1] : "", {}};
  if (!bind.target.empty() && !is_absolute(bind.target)) {
    return invalid("bind", value, "SRC:/ABSOLUTE/PATH");
  }
  if (parts.size() == 3) {
    if (parts[2] != "ro" && parts[2] != "rw") return invalid("bind", value, kForm);
    bind.writable = parts[2] == "rw";
  }
  options.binds.push_back(std::move(bind));
  return Done{};
}

Status add_path(std::vector<std::string>& to, std::string_view option, const std::string& value) {
  if (value.empty()) return invalid(option, value, "PATH");
  to.push_back(value);
  return Done{};
}

Status set_env(Options& options, const std::string& value) {
  const std::size_t equals = value.find('=');
  if (equals == std::string::npos || equals == 0) return invalid("env", value, "NAME=VALUE");
  options.env.push_back(value);
  return Done{};
}

Status set_size(Options& options, const std::string& value) {
  std::size_t digits = 0;
  while (digits < value.size() && value[digits] >= '0' && value[digits] <= '9') ++digits;
  const std::string_view unit = std::string_view(value).substr(digits);
  const bool known = unit.empty() || unit == "k" || unit == "K" || unit == "m" || unit == "M" ||
                     unit == "g" || unit == "G" || unit == "%";
  if (digits == 0 || !known) return invalid("tmp", value, "SIZE[k|m|g|%]");
  options.tmp_size = value;
  return Done{};
}

Status set_number(std::optional<int>& to, std::string_view option, const std::string& value) {
  char* end = nullptr;
  const long number = std::strtol(value.c_str(), &end, 10);
  if (value.empty() || *end != '\0' || number < 0 || number > 1000000) {
    return invalid(option, value, "NUMBER");
  }
  to = static_cast<int>(number);
  return Done{};
}

Status set_inside(std::optional<std::string>& to, std::string_view option,
                  const std::string& value) {
  if (!is_absolute(value)) return invalid(option, value, "/ABSOLUTE/PATH");
  to = value;
  return Done{};
}

Status set_hostname(Options& options, const std::string& value) {
  if (value.empty() || value.size() > 64) return invalid("hostname", value, "NAME");
  options.hostname = value;
  return Done{};
}

Status add_fd(Options& options, const std::string& value) {
  std::optional<int> number;
  TRY(set_number(number, "pass-fd", value));
  // Now, while the only descriptors are the caller's.
  if (::fcntl(*number, F_GETFD) < 0) return last_error("hand a descriptor through", value);
  options.pass_fds.push_back(*number);
  return Done{};
}

Status not_here(std::string_view option) {
  return plain_error("read the options", option_text(option), "this version does not have it yet");
}

constexpr std::array<std::pair<std::string_view, Profile>, 3> kProfiles{
    {{"isolated", Profile::isolated},
     {"contained", Profile::contained},
     {"compat", Profile::compat}}};
constexpr std::array<std::pair<std::string_view, Reach>, 3> kReaches{
    {{"auto", Reach::automatic}, {"private", Reach::private_server}, {"extract", Reach::extract}}};
constexpr Share kSeccomp{{{"default", true}, {"none", false}}};

using O = Options;
using V = const std::string;

}  // namespace

const std::vector<OptionRow>& option_table() {
  static const std::vector<OptionRow> table = {
      {"profile", "isolated|contained|compat", "the set of defaults (contained)",
       [](O& o, V& v) { return set_word(o.profile, "profile", v, kProfiles); }},
      {"bind", "SRC[:DST[:ro|rw]]", "show a host path inside", set_bind},
      {"input", "PATH", "show a host path inside, read-only",
       [](O& o, V& v) { return add_path(o.inputs, "input", v); }},
      {"output", "DIR", "show a host directory inside, writable",
       [](O& o, V& v) { return add_path(o.outputs, "output", v); }},
      {"writable", "PATH", "a scratch place over the image, gone at the end",
       [](O& o, V& v) { return add_path(o.scratch, "writable", v); }},
      {"tmp", "SIZE", "the size of the private /tmp (25% of memory)", set_size},
      {"net", "none|host", "the network (none: loopback alone)",
       [](O& o, V& v) { return set_word(o.net_host, "net", v, kNet); }},
      {"ipc", "private|host", "System V IPC and message queues",
       [](O& o, V& v) { return set_word(o.ipc_host, "ipc", v, kShare); }},
      {"pid", "private|host", "the view of processes",
       [](O& o, V& v) { return set_word(o.pid_host, "pid", v, kShare); }},
      {"uts", "private|host", "the host's name",
       [](O& o, V& v) { return set_word(o.uts_host, "uts", v, kShare); }},
      {"cgroup", "private|host", "the view of control groups",
       [](O& o, V& v) { return set_word(o.cgroup_host, "cgroup", v, kShare); }},
      {"hostname", "NAME", "the host's name inside", set_hostname},
      {"home", "DIR|none", "a host directory as the home, or none",
       [](O& o, V& v) -> Status {
         o.home = v;
         return Done{};
       }},
      {"cwd", "DIR", "where the tool starts (a path inside)",
       [](O& o, V& v) { return set_inside(o.cwd, "cwd", v); }},
      {"env", "NAME=VALUE", "set a variable inside", set_env},
      {"clean-env", "", "start with a clean environment",
       [](O& o, V&) -> Status {
         o.clean_env = true;
         return Done{};
       }},
      {"pass-env", "GLOB", "let these variables of the caller through",
       [](O& o, V& v) { return add_path(o.pass_env, "pass-env", v); }},
      {"exec", "PROGRAM", "another program of the image",
       [](O& o, V& v) -> Status {
         if (v.empty()) return invalid("exec", v, "PROGRAM");
         o.exec = v;
         return Done{};
       }},
      {"shell", "", "a shell inside (of the image)",
       [](O& o, V&) -> Status {
         o.shell = true;
         return Done{};
       },
       true, true},
      {"seccomp", "default|none", "the system-call filter",
       [](O& o, V& v) { return set_word(o.seccomp, "seccomp", v, kSeccomp); }},
      {"mount", "auto|private|extract", "how the image is reached",
       [](O& o, V& v) { return set_word(o.reach, "mount", v, kReaches); }, true},
      {"keep", "SECONDS", "how long a shared image server outlives its last run",
       [](O& o, V& v) { return set_number(o.keep_seconds, "keep", v); }, true},
      {"pass-fd", "N", "hand a descriptor through", add_fd, true},
      {"image", "FILE[@OFFSET[:LENGTH]]", "run an image that lies elsewhere",
       [](O& o, V& v) -> Status {
         o.image = v;
         return Done{};
       },
       true},
      {"no-isolation", "", "run without isolation (extracts first)",
       [](O& o, V&) -> Status {
         o.no_isolation = true;
         return Done{};
       },
       true, true},
      {"best-effort", "", "go on where something asked for is not to be had",
       [](O& o, V&) -> Status {
         o.best_effort = true;
         return Done{};
       },
       true, true},
      {"dry-run", "", "print the plan, run nothing",
       [](O& o, V&) -> Status {
         o.dry_run = true;
         return Done{};
       },
       true},
      {"verbose", "", "say what is done",
       [](O& o, V&) -> Status {
         o.verbose = true;
         return Done{};
       }},
      {"inspect", "", "what is in this file",
       [](O& o, V&) -> Status {
         o.inspect = true;
         return Done{};
       },
       true, true},
      {"version", "", "the version of this stub",
       [](O& o, V&) -> Status {
         o.version = true;
         return Done{};
       },
       true, true},
      {"help", "", "this list",
       [](O& o, V&) -> Status {
         o.help = true;
         return Done{};
       },
       true, true},
      // Of the interface, and not built yet: refused, never ignored.
      {"rules", "FILE", "", [](O&, V&) { return not_here("rules"); }},
      {"overlay", "none|tmpfs|DIR", "", [](O&, V&) { return not_here("overlay"); }},
      {"bind-args", "", "", [](O&, V&) { return not_here("bind-args"); }},
      {"attach", "IMAGE:DST", "", [](O&, V&) { return not_here("attach"); }},
      {"data-path", "DIR", "", [](O&, V&) { return not_here("data-path"); }},
      {"record", "FILE", "", [](O&, V&) { return not_here("record"); }},
      {"status-fd", "N", "", [](O&, V&) { return not_here("status-fd"); }},
      {"status", "PATH", "", [](O&, V&) { return not_here("status"); }},
      {"memory", "SIZE", "", [](O&, V&) { return not_here("memory"); }},
      {"cpus", "N", "", [](O&, V&) { return not_here("cpus"); }},
      {"pids", "N", "", [](O&, V&) { return not_here("pids"); }},
      {"file-size", "SIZE", "", [](O&, V&) { return not_here("file-size"); }},
      {"timeout", "SECONDS", "", [](O&, V&) { return not_here("timeout"); }},
      {"veth", "NAME", "", [](O&, V&) { return not_here("veth"); }},
      {"time", "private|host", "", [](O&, V&) { return not_here("time"); }},
      {"uid-map", "MAP", "", [](O&, V&) { return not_here("uid-map"); }},
      {"gid-map", "MAP", "", [](O&, V&) { return not_here("gid-map"); }},
      {"fake-root", "", "", [](O&, V&) { return not_here("fake-root"); }},
      {"env-file", "FILE", "", [](O&, V&) { return not_here("env-file"); }},
      {"nv", "", "", [](O&, V&) { return not_here("nv"); }},
      {"rocm", "", "", [](O&, V&) { return not_here("rocm"); }},
      {"gui", "", "", [](O&, V&) { return not_here("gui"); }},
      {"doctor", "", "", [](O&, V&) { return not_here("doctor"); }},
  };
  return table;
}

}  // namespace rootlet
