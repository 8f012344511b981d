// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/option_text.hpp"
#include "runtime/base/result.hpp"
#include "runtime/run/limits.hpp"

namespace rootlet {

struct Source;
namespace sandbox {
struct Plan;
}

enum class Reach {
  automatic,
  share,
  private_server,
  extract,
  kernel
};

enum class Network {
  none,
  host,
  connected  // one of its own, with a way out
};

// A host path to be shown inside.
struct Bind {
  std::string source, target;    // target: absolute, inside
  std::optional<bool> writable;  // not said: the profile decides
};

// Another image to be shown inside.
struct Attachment {
  std::string image;       // FILE[@OFFSET][//SUBDIR]
  std::string target;      // absolute, inside
  bool is_judged = false;  // it is the run's own image (see Options::judge)
};

// A writable layer over the whole root.
struct Layer {
  std::string directory;  // where it persists; empty: in memory
  std::string size;       // of one in memory; empty: as all private places
};

// Who says something about a run.
enum class Origin {
  command_line,
  environment,
  user_file,  // $XDG_CONFIG_HOME/rootlet/config.toml
  site_file,  // /etc/rootlet/config.toml
  policy
};

// One option as it was said, and by whom.
struct Setting {
  std::string name, value;
  Origin origin;
};

// An option that may not be widened beyond `bound`, or not be given at all.
struct Lock {
  std::string name, bound;
  std::string by;  // for messages
};

// What was asked for, by whatever source. Pure data: see parse_*.
struct Options {
  std::optional<Profile> profile;
  std::vector<Bind> binds;
  std::vector<Attachment> attachments;
  std::vector<std::string> data_paths;  // directories in which named images are looked for
  std::vector<std::string> inputs, outputs, scratch;
  std::optional<bool> bind_args;  // writable or not
  std::optional<Layer> overlay;
  std::optional<std::string> tmp_size, tmp_directory;
  bool nv = false, rocm = false, gui = false;
  std::optional<Network> network;                                            // unset: the profile
  std::optional<bool> ipc_host, pid_host, uts_host, cgroup_host, time_host;  // the same
  std::optional<std::string> veth;
  std::optional<bool> user_namespaces;  // that the tool may make
  std::optional<std::string> hostname, home, cwd, exec;
  std::optional<std::string> uid_map, gid_map;  // as sandbox/id_map.hpp has them
  bool fake_root = false;
  std::vector<std::string> env;  // K=V, later ones win
  std::vector<std::string> env_files;
  std::vector<std::string> pass_env;
  std::optional<bool> clean_env;
  std::optional<bool> seccomp;            // the default filter
  std::vector<std::string> filter_files;  // more filters, on top of it
  std::vector<std::string> rules;         // files of rules, all of which hold
  bool no_rules = false;                  // not the image's either
  Limits limits;
  std::optional<Reach> reach;
  std::optional<int> keep_seconds;
  std::vector<int> pass_fds;
  std::optional<std::string> image;  // FILE[@OFFSET[:LENGTH]] or JAR!/ENTRY
  bool no_isolation = false, best_effort = false, dry_run = false, verbose = false;
  bool json = false;  // the plan is printed as JSON
  bool help = false, version = false, inspect = false, shell = false, doctor = false;

  // With "/" as the root: what of the host it must not show. Only the rootlet
  // command finds that out; without it "/" is refused.
  std::optional<std::vector<std::string>> hidden;
  std::vector<std::string> guarded;  // what stays as it is inside anything writable
  // Of `rootlet chroot` and `rootlet encapsulate`; no option of its own asks for them.
  bool only_named = false;           // of the host what is named, and no current directory
  bool root_writable = false;        // a directory as the root may be written
  bool keep_cwd = false;             // start in the caller's very directory, or not at all
  bool keep_env = false;             // the caller's environment is right inside
  std::vector<std::string> instead;  // the argv where there is no such program
  // Of `rootlet learn`: called when the plan is made and signals are blocked, before
  // any process of the run is there.
  Status (*watch)(sandbox::Plan& plan) = nullptr;
  // Of the rootlet command: called for each image that goes with the run's own and
  // that it does not pin by a digest of the seal. An error ends the run.
  Status (*judge)(const Source& source, const std::string& name) = nullptr;
  // What APPIMAGE and APPDIR say where the image is not the root.
  std::optional<std::string> appimage, appdir;

  // What was said, in the order in which it was taken up.
  std::vector<Setting> given;
  bool was_given(std::string_view name) const;
  // A bind that the command line spells otherwise; locks of binds hold for it.
  void add_bind(Bind bind);
  // What the site's file holds its users to.
  std::vector<Lock> locks;
};

// One row of the table of options. It serves the stub (--rootlet-NAME), the
// command (--NAME), the environment (ROOTLET_NAME), policies and --help.
struct OptionRow {
  std::string_view name;
  std::string_view value;  // what --help calls it; empty: a flag; "[X]": may be left out
  std::string_view help;
  Status (*set)(Options&, const std::string& value);
  // Never read from a policy / from the environment (interface section 2).
  bool not_from_policy = false;
  bool not_from_environment = false;

  bool is_flag() const { return value.empty(); }
  bool needs_value() const { return !value.empty() && value.front() != '['; }
};
const std::vector<OptionRow>& option_table();
const OptionRow* find_option(std::string_view name);

// "--rootlet-net=none|host", as --help and hints write it.
std::string usage_of(const OptionRow& row);

// Sets one option. Errors name the option, the value and the nearest valid
// form, and are ours (125).
Status set_option(Options& options, std::string_view name, const std::optional<std::string>& value,
                  Origin origin);

// Our options while they lead, the rest for the tool.
struct CommandLine {
  Options options;
  std::optional<std::string> appimage;  // "offset" of --appimage-offset, when it comes first
  std::vector<std::string> arguments;   // for the tool, untouched
};

// Of a packaged file: --rootlet-NAME[=VALUE]... [--appimage-NAME] ARG...
// `raw` (ROOTLET_RAW_ARGS=1): everything is the tool's. `base`: what weaker
// sources said (configuration.hpp).
Result<CommandLine> parse_packaged(const std::vector<std::string>& arguments, bool raw,
                                   Options base = {});

// ROOTLET_NAME=VALUE variables; they win over what `options` holds.
Status parse_environment(Options& options, char** environment);

// Splits at unescaped separators. The second kind leaves backslashes as they
// are, for a split by another separator; the first takes them off.
std::vector<std::string> split_escaped(std::string_view text, char separator);
std::vector<std::string> split_unescaped(std::string_view text, char separator);

// The name in `known` that a mistyped one most likely means; may be empty.
std::string nearest(std::string_view name, const std::vector<std::string_view>& known);

}  // namespace rootlet
