// SPDX-License-Identifier: MIT
#include "launcher/configuration.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "launcher/image_trust.hpp"
#include "launcher/toml_lines.hpp"
#include "runtime/base/log.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/run/power.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kRead = "read the configuration";
constexpr const char* kSiteFile = "/etc/rootlet/config.toml";
constexpr std::size_t kMaximum = 1u << 16;

bool others_may_write(const struct stat& status) { return (status.st_mode & 022) != 0; }

// Who keeps this host: root, or what a user namespace without root shows of it.
uid_t site_owner() {
  struct stat status {};
  return ::stat("/", &status) == 0 ? status.st_uid : 0;
}

// About one run, and so in no file.
bool is_for_files(const std::string& option) {
  return power_of(option).kind != Power::Kind::callers || option == "mount" || option == "keep" ||
         option == "server-cache";
}

// The text of the file if its keeper alone can have written it: root, or the
// caller. No value: there
// is no such file, or it is another's, which a note says.
Result<std::optional<std::string>> trusted_text(const std::string& file, Origin origin) {
  const bool of_site = origin == Origin::site_file;
  const uid_t owner = of_site ? site_owner() : ::geteuid();
  const os::Fd directory(
      ::open(file.substr(0, file.rfind('/')).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const os::Fd opened(directory.valid() ? ::openat(directory.get(), "config.toml",
                                                   O_RDONLY | O_CLOEXEC | O_NONBLOCK)
                                        : -1);
  if (!opened.valid()) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<std::string>();
    // A home that nobody else may read says nothing to another user.
    if (errno == EACCES && !of_site) return std::optional<std::string>();
    return last_error(kRead, file);
  }
  struct stat around {};
  struct stat status {};
  if (::fstat(directory.get(), &around) != 0 || ::fstat(opened.get(), &status) != 0) {
    return last_error(kRead, file);
  }
  if (!S_ISREG(status.st_mode)) return plain_error(kRead, file, "it is not a regular file");
  if (status.st_uid != owner || around.st_uid != owner) {
    if (of_site) {
      return plain_error(kRead, file, "it is not root's", "chown root " + file);
    }
    Log::note(file + " is not read: it is not yours");
    return std::optional<std::string>();
  }
  if (others_may_write(status) || others_may_write(around)) {
    const std::string which = others_may_write(status) ? file : file.substr(0, file.rfind('/'));
    return plain_error(kRead, which, "others may write it", "chmod go-w " + which);
  }
  if (status.st_size > static_cast<off_t>(kMaximum)) {
    return plain_error(kRead, file, "it is larger than 64 KiB");
  }
  return std::optional(TRY(os::read_file(AT_FDCWD, os::fd_path(opened.get()), kMaximum)));
}

std::string user_file() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr && value[0] == '/' ? value : "");
  };
  const std::string config = variable("XDG_CONFIG_HOME");
  if (!config.empty()) return config + "/rootlet/config.toml";
  const std::string home = variable("HOME");
  return home.empty() ? "" : home + "/.config/rootlet/config.toml";
}

Status read_file(Options& options, const std::string& file, Origin origin) {
  const auto text = TRY(trusted_text(file, origin));
  if (!text) return Done{};
  return apply_configuration(options, TRY(parse_configuration(*text, file)), file, origin);
}

Status take_up(Options& options, const ConfigurationFile::Line& line, const std::string& file,
               Origin origin) {
  const OptionRow* row = find_option(line.name);
  if (row != nullptr && !is_for_files(line.name)) {
    return toml_error(file, line.number, line.name + " is about one run: no file may say it");
  }
  if (row != nullptr && line.is_flag && row->needs_value()) {
    return toml_error(file, line.number, line.name + " takes text, not true or false");
  }
  if (line.is_flag && line.value == "false") return Done{};
  std::optional<std::string> value;
  if (!line.is_flag) value = line.value;
  auto set = set_option(options, line.name, value, origin);
  if (set.ok()) return Done{};
  Error error = std::move(set).error();
  error.action = kRead;
  error.subject = file + ":" + std::to_string(line.number) + ": " + line.name;
  return error;
}

// [trust]: the site says the least that holds, the user his own default.
Status apply_trust(const ConfigurationFile::Line& line, const std::string& file, Origin origin) {
  const bool of_site = origin == Origin::site_file;
  VerifySettings& settings = VerifySettings::of_this_run();
  if (line.name == "verify") {
    const auto mode = parse_verify(line.value);
    if (!mode) return toml_error(file, line.number, "verify is off, warn or require");
    if (of_site) {
      settings.at_least = *mode;
    } else {
      settings.asked = std::max(*mode, settings.at_least);
    }
    return Done{};
  }
  if (line.name == "minimum") {
    const std::size_t blank = line.value.rfind(' ');
    if (blank == std::string::npos || blank == 0 || blank + 1 == line.value.size()) {
      return toml_error(file, line.number, "minimum is [\"NAME VERSION\", ...]");
    }
    settings.minimum.push_back({line.value.substr(0, blank), line.value.substr(blank + 1)});
    return Done{};
  }
  if (line.name == "keys" && of_site && (line.value == "site" || line.value == "all")) {
    settings.site_keys_only = line.value == "site";
    return Done{};
  }
  return toml_error(file, line.number,
                    line.name == "keys" ? "keys is \"site\" or \"all\", in the site's file alone"
                                        : "[trust] knows verify, keys and minimum");
}

// ROOTLET_VERIFY=MODE.
Status read_verify_variable() {
  const char* value = std::getenv("ROOTLET_VERIFY");
  if (value == nullptr || value[0] == '\0') return Done{};
  auto& asked = VerifySettings::of_this_run().asked;
  asked = parse_verify(value);
  if (asked) return Done{};
  return plain_error("read the environment", std::string("ROOTLET_VERIFY=") + value,
                     "it is off, warn or require");
}

}  // namespace

Result<ConfigurationFile> parse_configuration(std::string_view text, const std::string& file) {
  ConfigurationFile content;
  for (TomlEntry& entry : TRY(read_toml(text, file))) {
    if (entry.section == "trust") {
      for (std::string& value : entry.values) {
        content.trust.push_back({entry.key, std::move(value), entry.flag, entry.line});
      }
      continue;
    }
    if (entry.section != "isolation") {
      return toml_error(file, entry.line,
                        entry.section.empty() ? "it stands in no section"
                                              : "unknown section [" + entry.section + "]",
                        "options stand below [isolation], keys and verify below [trust]");
    }
    if (entry.key == "locked") {
      content.locked.insert(content.locked.end(), entry.values.begin(), entry.values.end());
      continue;
    }
    for (std::string& value : entry.values) {
      content.settings.push_back({entry.key, std::move(value), entry.flag, entry.line});
    }
  }
  return content;
}

Status apply_configuration(Options& options, const ConfigurationFile& content,
                           const std::string& file, Origin origin) {
  for (const ConfigurationFile::Line& line : content.settings) {
    TRY(take_up(options, line, file, origin));
  }
  for (const ConfigurationFile::Line& line : content.trust) {
    TRY(apply_trust(line, file, origin));
  }
  if (!content.locked.empty() && origin != Origin::site_file) {
    return plain_error(kRead, file, "only the site's file may lock", kSiteFile);
  }
  for (const std::string& name : content.locked) {
    const Power power = power_of(name);
    if (power.kind == Power::Kind::unknown || !is_for_files(name)) {
      return plain_error(kRead, file, "\"locked\" names no option that can be locked: " + name);
    }
    Lock lock{name, power.standard, file};
    for (const ConfigurationFile::Line& line : content.settings) {
      if (line.name == name && !adds_up(name)) lock.bound = line.value;
    }
    options.locks.push_back(std::move(lock));
  }
  return Done{};
}

Result<Options> configured_options(char** environment) {
  Options options;
  TRY(read_file(options, kSiteFile, Origin::site_file));
  const std::string users = user_file();
  if (!users.empty()) TRY(read_file(options, users, Origin::user_file));
  TRY(parse_environment(options, environment));
  TRY(read_verify_variable());
  return options;
}

}  // namespace rootlet
