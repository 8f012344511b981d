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

enum class Reach {
  automatic,
  share,
  private_server,
  extract,
  kernel
};

// A host path to be shown inside.
struct Bind {
  std::string source, target;    // target: absolute, inside
  std::optional<bool> writable;  // not said: the profile decides
};

// Another image to be shown inside.
struct Attachment {
  std::string image;   // FILE[@OFFSET][//SUBDIR]
  std::string target;  // absolute, inside
};

// What was asked for, by whatever source. Pure data: see parse_*.
struct Options {
  std::optional<Profile> profile;
  std::vector<Bind> binds;
  std::vector<Attachment> attachments;
  std::vector<std::string> inputs, outputs, scratch;
  std::optional<std::string> tmp_size;
  std::optional<bool> net_host, ipc_host, pid_host, uts_host, cgroup_host;  // unset: the profile
  std::optional<std::string> uid_map, gid_map;  // as sandbox/id_map.hpp has them
  bool fake_root = false;
  std::optional<std::string> hostname, home, cwd, exec;
  std::vector<std::string> env;  // K=V, later ones win
  std::vector<std::string> pass_env;
  std::optional<bool> clean_env;
  std::optional<bool> seccomp;
  Limits limits;
  std::optional<Reach> reach;
  std::optional<int> keep_seconds;
  std::vector<int> pass_fds;
  std::optional<std::string> image;  // FILE[@OFFSET[:LENGTH]] or JAR!/ENTRY
  bool no_isolation = false, best_effort = false, dry_run = false, verbose = false;
  bool help = false, version = false, inspect = false, shell = false;

  // With "/" as the root: what of the host it must not show. Only the rootlet
  // command finds that out; without it "/" is refused.
  std::optional<std::vector<std::string>> hidden;
  // Of `rootlet chroot` and `rootlet encapsulate`; no option of its own asks for them.
  bool only_named = false;           // of the host what is named, and no current directory
  bool root_writable = false;        // a directory as the root may be written
  bool keep_cwd = false;             // start in the caller's very directory, or not at all
  bool keep_env = false;             // the caller's environment is right inside
  std::vector<std::string> instead;  // the argv where there is no such program
  // What APPIMAGE and APPDIR say where the image is not the root.
  std::optional<std::string> appimage, appdir;

  // Which options were given, by name, and by whom the last was.
  std::vector<std::string> given;
  bool was_given(std::string_view name) const;
};

enum class Origin {
  command_line,
  environment,
  policy
};

// One row of the table of options. It serves the stub (--rootlet-NAME), the
// command (--NAME), the environment (ROOTLET_NAME), policies and --help.
struct OptionRow {
  std::string_view name;
  std::string_view value;  // what --help calls it; empty: a flag
  std::string_view help;
  Status (*set)(Options&, const std::string& value);
  // Never read from a policy / from the environment (interface section 2).
  bool not_from_policy = false;
  bool not_from_environment = false;
};
const std::vector<OptionRow>& option_table();

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
// `raw` (ROOTLET_RAW_ARGS=1): everything is the tool's.
Result<CommandLine> parse_packaged(const std::vector<std::string>& arguments, bool raw);

// ROOTLET_NAME=VALUE variables, for what the command line did not set.
Status parse_environment(Options& options, char** environment);

// "a\:b" is "a:b"; splits at unescaped separators.
std::vector<std::string> split_escaped(std::string_view text, char separator);

// The name in `known` that a mistyped one most likely means; may be empty.
std::string nearest(std::string_view name, const std::vector<std::string_view>& known);

}  // namespace rootlet
