// SPDX-License-Identifier: MIT
#include "packaging/source_conda.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "packaging/appdir.hpp"
#include "packaging/conda_packages.hpp"
#include "packaging/engine.hpp"
#include "packaging/relocate.hpp"
#include "packaging/scratch.hpp"

namespace rootlet::packaging {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kMake = "make the conda environment";

// In a tree with nothing else.
Result<Source> at_prefix(const std::string& prefix, const std::string& name, Tree files) {
  Source source;
  source.kind = Source::Kind::kConda;
  source.path = prefix;
  source.policy = describe_environment(files, prefix, name, source.notes);
  const auto place = TRY(source.tree.make_directories(prefix, files.root().mtime));
  *place.node = std::move(files.root());
  return source;
}

// A run has a home and places for temporary files of its own there.
bool hidden_in_runs(const std::string& prefix) {
  for (const char* place : {"/home/", "/root/", "/tmp/", "/var/tmp/", "/run/", "/mnt/", "/dev/"}) {
    if (prefix.starts_with(place)) return true;
  }
  const char* home = std::getenv("HOME");
  return home != nullptr && *home == '/' && prefix.starts_with(std::string(home) + "/");
}

// micromamba is one static file and the fastest; the three share their options.
std::string find_client() {
  const char* path = std::getenv("PATH");
  for (const char* name : {"micromamba", "mamba", "conda"}) {
    std::string directories = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
    while (!directories.empty()) {
      const std::size_t end = std::min(directories.find(':'), directories.size());
      const std::string program = directories.substr(0, end) + "/" + name;
      if (program.starts_with('/') && ::access(program.c_str(), X_OK) == 0) return program;
      directories.erase(0, std::min(end + 1, directories.size()));
    }
  }
  return "";
}

// An explicit list has no name of its own; an environment.yml may have one.
std::string environment_name(const std::string& path) {
  const std::string name = fs::path(path).stem();
  return file_name_of(name == "environment" || name == "conda-lock" ? "env" : name);
}

std::vector<std::string> variables(const std::string& scratch) {
  std::vector<std::string> out{"PATH=/usr/local/bin:/usr/bin:/bin",
                               "LC_ALL=C.UTF-8",
                               "HOME=" + scratch + "/home",
                               "MAMBA_ROOT_PREFIX=" + scratch + "/root",
                               "CONDA_PKGS_DIRS=" + scratch + "/packages",
                               "CONDA_ALWAYS_YES=true"};
  for (const char* name : {"http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE"}) {
    if (const char* value = std::getenv(name)) out.push_back(std::string(name) + "=" + value);
  }
  return out;
}

std::vector<std::string> create(const std::string& client, const std::string& prefix,
                                const std::string& file) {
  // conda and mamba read an environment.yml by a verb of their own.
  const bool yaml = file.ends_with(".yml") || file.ends_with(".yaml");
  const bool micro = name_of(client) == "micromamba";
  std::vector<std::string> words{client};
  if (yaml && !micro) words.push_back("env");
  for (const std::string& word : {std::string("create"), std::string("--yes"),
                                  std::string("--prefix"), prefix, std::string("--file"), file}) {
    words.push_back(word);
  }
  return words;
}

Error failed(const std::string& file, const CommandEnd& end) {
  return plain_error(kMake, file, telling_line(end.output, {"error", "critical", "CondaError"}));
}

}  // namespace

Result<Source> read_conda_prefix(const std::string& path, Tree files) {
  if (!files.find("conda-meta")) {
    return plain_error("read the source", path, "no conda environment: it lacks conda-meta",
                       "name the directory that conda create -p made, or a lock file");
  }
  std::string prefix = fs::absolute(path).lexically_normal();
  while (prefix.size() > 1 && prefix.ends_with('/')) prefix.pop_back();
  const std::string name = name_of(prefix);
  if (!hidden_in_runs(prefix)) return at_prefix(prefix, name, std::move(files));
  const std::string place = "/opt/" + file_name_of(name);
  TRY(relocate(files, prefix, place));
  Source source = TRY(at_prefix(place, name, std::move(files)));
  source.notes.push_back("the environment is at " + place + " in the image: a run hides " + prefix);
  return source;
}

Result<Source> read_conda_file(const std::string& path, const SourceRequest& request) {
  const std::string client = find_client();
  if (client.empty()) {
    return plain_error(kMake, path, "no micromamba, mamba or conda in PATH",
                       "install one, or pack an environment that is there: conda:/PATH/OF/ENV");
  }
  const auto scratch = TRY(ScratchDirectory::make());
  const Engine engine = TRY(Engine::make(*scratch));
  const std::string& work = scratch->path();
  const std::string name = environment_name(path), prefix = "/opt/conda-" + name;
  const std::string file = work + "/" + name_of(path);
  std::error_code error;
  fs::create_directories(work + "/home", error);
  fs::create_directories(work + "/prefix", error);
  fs::copy_file(path, file, error);
  if (error) return Error{error.value(), std::string(kMake), path, "", ""};

  if (request.report) request.report({"fetching conda packages", 0, 0});
  std::vector<std::string> fetch = create(client, work + "/fetched", file);
  fetch.push_back("--download-only");
  const auto fetched = TRY(run_command({fetch, variables(work), {}}));
  if (!fetched.ok()) return failed(path, fetched);
  if (request.report) request.report({"installing conda packages", 0, 0});
  std::vector<std::string> install{"/usr/bin/env"};
  for (const std::string& variable : variables(work)) install.push_back(variable);
  for (const std::string& word : create(client, prefix, file)) install.push_back(word);
  install.push_back("--offline");
  // The client too: the view of the host has a /tmp of its own.
  const std::vector<std::string> binds{work + "/prefix:" + prefix, client + ":" + client + ":ro"};
  const auto made = TRY(engine.on_host(work, install, {}, binds));
  if (!made.ok()) return failed(path, made);

  std::vector<std::string> notes;
  Tree files = TRY(read_directory(work + "/prefix", notes));
  Source source = TRY(at_prefix(prefix, name, std::move(files)));
  source.notes.insert(source.notes.end(), notes.begin(), notes.end());
  source.origin = {{"file", name_of(path)}};
  source.scratch = scratch;
  return source;
}

}  // namespace rootlet::packaging
