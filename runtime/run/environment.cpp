// SPDX-License-Identifier: MIT
#include "runtime/run/environment.hpp"

#include <algorithm>
#include <array>

#include "runtime/os/fd.hpp"
#include "runtime/run/gpu.hpp"

namespace rootlet {
namespace {

constexpr const char* kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// Never let in: the loader's variables name host files that do not exist
// inside, or bring host code in; ours and AppImage's are about this run.
constexpr std::array kNever = {
    "LD_*",    "ROOTLET_*",    "TARGET_APPIMAGE", "APPIMAGE*",       "APPDIR",
    "ARGV0",   "OWD",          "GLIBC_TUNABLES",  "GCONV_PATH",      "LOCPATH",
    "NLSPATH", "MALLOC_TRACE", "GETCONF_DIR",     "RESOLV_HOST_CONF"};

// The host's interpreters' search paths and start-up files: the most frequent
// trouble of container users (reference: apptainer#2537, singularity#445).
constexpr std::array kForeign = {"PYTHON*",
                                 "PERL5LIB",
                                 "PERL5OPT",
                                 "PERLLIB",
                                 "PERL5DB",
                                 "PERL_*",
                                 "R_LIBS*",
                                 "R_HOME",
                                 "R_PROFILE*",
                                 "R_ENVIRON*",
                                 "JAVA_TOOL_OPTIONS",
                                 "_JAVA_OPTIONS",
                                 "JDK_JAVA_OPTIONS",
                                 "JAVA_HOME",
                                 "CLASSPATH",
                                 "BASH_ENV",
                                 "ENV",
                                 "BASH_FUNC_*",
                                 "RUBYLIB",
                                 "RUBYOPT",
                                 "GEM_*",
                                 "NODE_PATH",
                                 "NODE_OPTIONS",
                                 "LUA_*PATH",
                                 "TCLLIBPATH",
                                 "GIO_*",
                                 "GTK_*",
                                 "QT_*PATH",
                                 "XDG_DATA_DIRS",
                                 "XDG_CONFIG_DIRS",
                                 "MODULEPATH",
                                 "MODULESHOME",
                                 "LMOD_*",
                                 "CONDA_*",
                                 "VIRTUAL_ENV",
                                 "SSL_CERT_*",
                                 "CURL_CA_BUNDLE",
                                 "FONTCONFIG_*",
                                 "DBUS_*"};

constexpr std::array kCleanKeeps = {"LANG", "LC_*", "LANGUAGE", "TERM",      "TZ",
                                    "HOME", "USER", "LOGNAME",  "COLORTERM", "NO_COLOR"};

template <std::size_t N>
bool matches_any(const std::array<const char*, N>& patterns, std::string_view name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const char* pattern) { return glob_matches(pattern, name); });
}

class Variables {
 public:
  void set(const std::string& entry) { set_variable(list_, entry); }
  void unset(const std::string& name) {
    std::erase_if(list_, [&](const std::string& old) { return old.starts_with(name + "="); });
  }
  void add(const std::string& entry) { list_.push_back(entry); }
  std::vector<std::string> take() { return std::move(list_); }

 private:
  std::vector<std::string> list_;
};

bool passes(const std::string& name, const Options& options, Profile profile, bool clean) {
  const auto asked = [&](const std::string& pattern) { return glob_matches(pattern, name); };
  if (std::any_of(options.pass_env.begin(), options.pass_env.end(), asked)) return true;
  if (options.keep_env) return !name.starts_with("ROOTLET_");
  if (matches_any(kNever, name) || name == "PATH") return false;
  if (clean) return matches_any(kCleanKeeps, name);
  if (profile == Profile::compat) return true;
  return !matches_any(kForeign, name);
}

// Adds a directory to a list of directories.
void append_path(std::vector<std::string>& variables, const std::string& name,
                 const std::string& directory) {
  for (std::string& variable : variables) {
    if (!variable.starts_with(name + "=")) continue;
    variable += ":" + directory;
    return;
  }
  variables.push_back(name + "=" + directory);
}

}  // namespace

void set_variable(std::vector<std::string>& variables, const std::string& entry) {
  const std::string key = entry.substr(0, entry.find('=') + 1);
  std::erase_if(variables, [&](const std::string& old) { return old.starts_with(key); });
  variables.push_back(entry);
}

void add_contract_variable(std::vector<std::string>& variables, const Options& options,
                           const std::string& entry) {
  const std::string key = entry.substr(0, entry.find('=') + 1);
  const std::string* said = nullptr;
  for (const std::string& other : options.env) {
    if (other.starts_with(key)) said = &other;
  }
  if (said == nullptr) {
    set_variable(variables, entry);
  } else if (*said == key) {
    std::erase_if(variables, [&](const std::string& old) { return old.starts_with(key); });
  }
}

void find_drivers(std::vector<std::string>& variables) {
  append_path(variables, "LD_LIBRARY_PATH", kDriverLibraries);
  append_path(variables, "PATH", std::string(kDriverLibraries) + "/bin");
}

Result<std::vector<std::string>> read_env_file(const std::string& file) {
  constexpr std::string_view kRead = "read the variables";
  const std::string text = TRY(os::read_file(AT_FDCWD, file, 1u << 20));
  std::vector<std::string> variables;
  int number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    ++number;
    if (line.empty() || line[0] == '#') continue;
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos || equals == 0 || line.find('\0') != std::string::npos) {
      return plain_error(kRead, file + ":" + std::to_string(number), "not NAME=VALUE");
    }
    variables.push_back(line);
  }
  return variables;
}

bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<std::string> tool_environment(const Caller& caller, const Options& options,
                                          const Policy& policy, Profile profile,
                                          const std::function<bool(const std::string&)>& visible) {
  const bool clean = options.clean_env.value_or(profile == Profile::isolated);
  Variables variables;
  for (const std::string& entry : caller.env) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos || equals == 0) continue;
    if (passes(entry.substr(0, equals), options, profile, clean)) variables.add(entry);
  }
  if (!options.keep_env) variables.set(std::string("PATH=") + kPath);
  if (!caller.home.empty()) variables.set("HOME=" + caller.home);
  if (profile != Profile::compat) {
    // A home that is bound in must not bring the host's packages.
    if (!options.keep_env) variables.set("PYTHONNOUSERSITE=1");
    for (const char* name : {"TMPDIR", "TMP", "TEMP", "XDG_RUNTIME_DIR"}) {
      const std::string value = caller.variable(name);
      if (value.empty()) continue;
      if (profile == Profile::isolated)
        variables.unset(name);
      else if (!visible(value))
        variables.set(std::string(name) + "=/tmp");
    }
  }
  for (const std::string& entry : policy.env) variables.set(entry);
  for (const std::string& entry : options.env) variables.set(entry);
  return variables.take();
}

}  // namespace rootlet
