// SPDX-License-Identifier: MIT
#include "packaging/apt.hpp"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <regex>
#include <set>
#include <sstream>

#include "packaging/apt_state.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::string_view kInstall = "install packages";

// Of "[1153 kB]" at the end of apt's "Get:" lines, in bytes.
std::uint64_t announced(std::string_view line) {
  const std::size_t open = line.rfind('[');
  if (!line.starts_with("Get:") || open == std::string_view::npos) return 0;
  std::istringstream text(std::string(line.substr(open + 1)));
  double number = 0;
  std::string unit;
  if (!(text >> number >> unit)) return 0;
  if (unit.starts_with("kB")) number *= 1e3;
  if (unit.starts_with("MB")) number *= 1e6;
  if (unit.starts_with("GB")) number *= 1e9;
  return static_cast<std::uint64_t>(number);
}

// The package of "Get:3 URI SUITE ARCH NAME ARCH VERSION [SIZE]".
std::string fetched_package(std::string_view line) {
  std::istringstream words{std::string(line)};
  std::string word;
  for (int i = 0; i < 5; ++i) words >> word;
  return word;
}

// Of "'file:/PATH'" apt takes the file where it lies; dpkg wants it beside the
// others. apt has compared the index that names it, and compares it again.
Status copy_local(const std::string& uri, const std::string& target) {
  if (!uri.starts_with("'file:/") || !uri.ends_with("'")) return Done{};
  const std::string quoted = uri.substr(6, uri.size() - 7);
  std::string path;
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] == '%' && i + 2 < quoted.size()) {
      path += static_cast<char>(std::strtoul(quoted.substr(i + 1, 2).c_str(), nullptr, 16));
      i += 2;
    } else {
      path += quoted[i];
    }
  }
  std::error_code error;
  std::filesystem::copy_file(path, target, error);
  if (!error) return Done{};
  return Error{error.value(), std::string(kInstall), path, "", ""};
}

// From "Inst NAME (VERSION ORIGIN [ARCH]) ..." or "Conf ...".
std::optional<AptStep> read_step(const std::string& line) {
  static const std::regex form(R"((Inst|Conf) (\S+) \((\S+) .*\[(\w[\w-]*)\]\).*)");
  std::smatch found;
  if (!std::regex_match(line, found, form)) return std::nullopt;
  AptStep step;
  step.unpack = found[1] == "Inst";
  step.package = found[2];
  const std::string name = step.package.substr(0, step.package.find(':'));
  std::string version;
  for (const char letter : found[3].str()) {
    if (letter == ':')
      version += "%3a";
    else
      version += letter;
  }
  step.file = name + "_" + version + "_" + found[4].str() + ".deb";
  return step;
}

}  // namespace

Result<Apt> Apt::make(const std::string& directory, const SourceRequest& request) {
  std::string suite = TRY(write_apt_state(directory, request));
  Apt apt(directory, std::move(suite));
  const auto version = apt.run({"apt-get", "--version"});
  const auto dpkg = apt.run({"dpkg", "--version"});
  if (!version.ok() || !dpkg.ok()) {
    return plain_error(kInstall, version.ok() ? "dpkg" : "apt-get", "not installed on this host",
                       "deb: needs apt and dpkg, as Debian and Ubuntu have them");
  }
  return apt;
}

Result<CommandEnd> Apt::run(std::vector<std::string> words,
                            std::function<void(std::string_view)> on_line) const {
  std::vector<std::string> environment{"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
                                       "LC_ALL=C", "HOME=/nonexistent", "TMPDIR=" + directory_,
                                       "APT_CONFIG=" + directory_ + "/apt.conf"};
  for (const char* name : {"http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "SSL_CERT_FILE"}) {
    if (const char* value = std::getenv(name))
      environment.push_back(std::string(name) + "=" + value);
  }
  return run_command({std::move(words), std::move(environment), std::move(on_line)});
}

Error Apt::explain(const CommandEnd& end, const std::string& what) const {
  static const std::regex unknown(
      R"(E: (?:Unable to locate package (\S+)|Couldn't find any package by (?:glob|regex) '([^']+)'|Version '[^']*' for '([^']+)' was not found|Package '([^']+)' has no installation candidate)[^\n]*)");
  std::smatch found;
  if (std::regex_search(end.output, found, unknown)) {
    std::string name;
    for (std::size_t i = 1; i < found.size(); ++i) name += found[i].str();
    return plain_error(kInstall, name, found[0].str().substr(3) + ", in the sources for " + suite_,
                       "see apt-cache policy " + name + "; --suite and --mirror choose others");
  }
  const std::string line = telling_line(end.output, {"E: Failed to fetch", "W: Failed to fetch",
                                                     "E: The repository", "E: You don't"});
  const bool network = line.find("fetch") != std::string::npos ||
                       line.find("repository") != std::string::npos ||
                       line.find("resolv") != std::string::npos;
  if (network) {
    return plain_error("reach the package source", line.substr(line.starts_with("E") ? 3 : 0),
                       "apt-get could not",
                       "check the network and the apt sources, or give --mirror");
  }
  return plain_error(kInstall, what, telling_line(end.output, {"E: "}));
}

Status Apt::update(const Report& report) const {
  std::uint64_t done = 0;
  const auto on_line = [&](std::string_view line) {
    done += announced(line);
    if (report) report({"fetching package lists", done, 0});
  };
  const auto end = TRY(run({"apt-get", "-q", "update", "--error-on=any"}, on_line));
  if (!end.ok()) return explain(end, suite_);
  return Done{};
}

Result<std::vector<std::string>> Apt::essential() const {
  std::set<std::string> found;
  std::string package;
  TRY(run({"apt-cache", "dumpavail"}, [&](std::string_view line) {
    if (line.starts_with("Package: ")) package = line.substr(9);
    if (line == "Essential: yes" || package == "usr-is-merged") found.insert(package);
  }));
  if (found.empty()) return plain_error(kInstall, suite_, "the sources have no essential package");
  return std::vector<std::string>(found.begin(), found.end());
}

Result<std::vector<AptStep>> Apt::plan(const std::vector<std::string>& packages) const {
  std::vector<std::string> words{"apt-get", "-q", "-s", "install"};
  words.insert(words.end(), packages.begin(), packages.end());
  const auto end = TRY(run(std::move(words)));
  if (!end.ok()) return explain(end, packages.back());
  std::vector<AptStep> steps;
  std::istringstream lines(end.output);
  for (std::string line; std::getline(lines, line);) {
    if (auto step = read_step(line)) steps.push_back(std::move(*step));
  }
  return steps;
}

Status Apt::download(const std::vector<std::string>& packages, const Report& report) const {
  std::vector<std::string> words{"apt-get", "-q", "install", "--print-uris"};
  words.insert(words.end(), packages.begin(), packages.end());
  const auto priced = TRY(run(words));
  if (!priced.ok()) return explain(priced, packages.back());
  std::uint64_t total = 0, done = 0;
  std::istringstream lines(priced.output);  // 'URI' FILE SIZE HASH
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string uri, file;
    std::uint64_t size = 0;
    if (!line.starts_with('\'') || !(fields >> uri >> file >> size)) continue;
    total += size;
    TRY(copy_local(uri, archives() + "/" + file));
  }
  words[3] = "--download-only";
  const auto end = TRY(run(words, [&](std::string_view line) {
    done = std::min(total, done + announced(line));
    if (report) report({"fetching packages", done, total, true, fetched_package(line)});
  }));
  if (!end.ok()) return explain(end, packages.back());
  return Done{};
}

}  // namespace rootlet::packaging
