// SPDX-License-Identifier: MIT
#include "packaging/apt_state.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "packaging/command.hpp"
#include "runtime/os/fd.hpp"

namespace rootlet::packaging {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kPrepare = "prepare apt";
constexpr std::size_t kLargestFile = 1 << 20;

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str().substr(0, kLargestFile);
}

Status write_text(const std::string& path, const std::string& text) {
  const os::Fd file = TRY(os::open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  return os::write_all(file.get(), text, kPrepare, path);
}

std::string host_codename() {
  std::istringstream lines(read_text("/etc/os-release"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("VERSION_CODENAME=")) return line.substr(17);
  }
  return "";
}

std::string replace_words(std::string text, const std::string& from, const std::string& to) {
  if (from.empty() || from == to) return text;
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

bool is_source_file(const std::string& name) {
  return name.ends_with(".list") || name.ends_with(".sources");
}

// The host's own sources; for another suite the same ones with its name.
Status copy_host_sources(const std::string& into, const std::string& suite) {
  std::vector<fs::path> files{"/etc/apt/sources.list"};
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/etc/apt/sources.list.d", ignored)) {
    if (is_source_file(entry.path().filename())) files.push_back(entry.path());
  }
  bool any = false;
  for (const fs::path& file : files) {
    const std::string text = read_text(file);
    if (text.find_first_not_of(" \t\n") == std::string::npos) continue;
    TRY(write_text(into + "/" + file.filename().string(),
                   replace_words(text, host_codename(), suite)));
    any = true;
  }
  if (any) return Done{};
  return plain_error(kPrepare, "/etc/apt", "this host has no package sources",
                     "name one with --mirror URI --suite NAME");
}

Status add_mirror(const std::string& into, const std::string& mirror, const std::string& suite,
                  std::string& list) {
  if (mirror.starts_with("deb ") || mirror.starts_with("deb\t")) {
    list += mirror + "\n";
    return Done{};
  }
  if (mirror.find(":/") != std::string::npos) {
    list += "deb " + mirror + " " + suite + " main\n";
    return Done{};
  }
  const std::string name = fs::path(mirror).filename();
  if (!is_source_file(name) || !fs::exists(mirror)) {
    return plain_error(kPrepare, mirror,
                       "neither a URI, nor a line \"deb ...\", nor a file *.list or *.sources");
  }
  return write_text(into + "/" + name, read_text(mirror));
}

// Proxies, certificates and tolerances that the host's apt was given.
std::string host_transport() {
  const auto dumped = run_command({{"apt-config", "dump", "--format", "%F \"%v\";%n"},
                                   {"PATH=/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL=C"},
                                   {}});
  std::string kept;
  if (!dumped.ok() || !dumped.value().ok()) return kept;
  std::istringstream lines(dumped.value().output);
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with(" \"\";")) continue;
    for (const char* start : {"Acquire::Check-", "Acquire::http", "Acquire::ForceIPv"}) {
      if (line.starts_with(start)) kept += line + "\n";
    }
  }
  return kept;
}

constexpr const char* kSettings = R"(Dir::Etc::trusted "/etc/apt/trusted.gpg";
Dir::Etc::trustedparts "/etc/apt/trusted.gpg.d/";
Dir::Etc::netrc "/etc/apt/auth.conf";
Dir::Etc::netrcparts "/etc/apt/auth.conf.d/";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
APT::Get::Assume-Yes "true";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::GzipIndexes "false";
)";

std::string configuration(const std::string& directory, bool with_preferences) {
  std::string text = "Dir \"" + directory + "\";\n";
  text += "Dir::Etc \"" + directory + "/etc\";\n";
  text += "Dir::State \"" + directory + "/state\";\n";
  text += "Dir::State::status \"" + directory + "/status\";\n";
  text += "Dir::Cache \"" + directory + "/cache\";\n";
  text += "Dir::Log \"" + directory + "\";\n";
  if (with_preferences) {
    text += "Dir::Etc::preferences \"/etc/apt/preferences\";\n";
    text += "Dir::Etc::preferencesparts \"/etc/apt/preferences.d/\";\n";
  }
  return text + kSettings + host_transport();
}

}  // namespace

Result<std::string> write_apt_state(const std::string& directory, const SourceRequest& request) {
  if (directory.find('"') != std::string::npos) {
    return plain_error(kPrepare, directory, "apt takes no path with a quote",
                       "set TMPDIR to another directory");
  }
  const std::string suite = request.suite.empty() ? host_codename() : request.suite;
  const std::string sources = directory + "/etc/sources.list.d";
  std::error_code error;
  for (const char* path : {"/state/lists/partial", "/cache/archives/partial", "/etc/sources.list.d",
                           "/etc/apt.conf.d", "/etc/preferences.d"}) {
    fs::create_directories(directory + path, error);
    if (error) return Error{error.value(), std::string(kPrepare), directory, "", ""};
  }
  if (request.mirrors.empty()) {
    TRY(copy_host_sources(sources, suite));
  } else {
    std::string list;
    for (const std::string& mirror : request.mirrors) {
      if (suite.empty() && !mirror.starts_with("deb ")) {
        return plain_error(kPrepare, mirror, "for which release?", "add --suite NAME");
      }
      TRY(add_mirror(sources, mirror, suite, list));
    }
    if (!list.empty()) TRY(write_text(sources + "/named.list", list));
  }
  TRY(write_text(directory + "/status", ""));
  TRY(write_text(directory + "/apt.conf", configuration(directory, request.mirrors.empty())));
  return suite;
}

}  // namespace rootlet::packaging
