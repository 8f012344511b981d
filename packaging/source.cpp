// SPDX-License-Identifier: MIT
#include "packaging/source.hpp"

#include <sys/stat.h>

#include <optional>
#include <utility>

namespace rootlet::packaging {
namespace {

constexpr std::string_view kRead = "read the source";

// An AppDir has a program AppRun and a desktop file at its top.
bool looks_like_appdir(const Tree& tree) {
  if (!tree.find("AppRun")) return false;
  for (const auto& [name, node] : tree.root().children) {
    if (name.ends_with(".desktop")) return true;
  }
  return false;
}

std::optional<Source::Kind> take_prefix(std::string& spec) {
  constexpr std::pair<std::string_view, Source::Kind> kPrefixes[] = {
      {"dir:", Source::Kind::kDirectory},
      {"tar:", Source::Kind::kTar},
      {"appdir:", Source::Kind::kAppDir}};
  for (const auto& [prefix, kind] : kPrefixes) {
    if (!spec.starts_with(prefix)) continue;
    spec.erase(0, prefix.size());
    return kind;
  }
  return std::nullopt;
}

}  // namespace

std::string_view kind_name(Source::Kind kind) {
  switch (kind) {
    case Source::Kind::kDirectory: return "directory";
    case Source::Kind::kAppDir: return "appdir";
    case Source::Kind::kTar: return "tar";
    case Source::Kind::kOci: return "oci";
    case Source::Kind::kDockerArchive: return "docker-archive";
    case Source::Kind::kDebian: return "deb";
    case Source::Kind::kConda: return "conda";
    case Source::Kind::kAppImage: return "appimage";
  }
  return "?";
}

Result<Source> read_source(const SourceRequest& request) {
  Source source;
  source.path = request.spec;
  const std::optional<Source::Kind> wanted = take_prefix(source.path);
  struct stat status {};
  if (::stat(source.path.c_str(), &status) != 0) return last_error(kRead, source.path);
  const bool directory = S_ISDIR(status.st_mode);
  if (wanted == Source::Kind::kTar && directory) {
    return plain_error(kRead, source.path, "a directory, not a tar archive");
  }
  if (wanted && wanted != Source::Kind::kTar && !directory) {
    return plain_error(kRead, source.path, "not a directory");
  }
  if (!directory) {
    source.kind = Source::Kind::kTar;
    source.tree = TRY(read_tar(source.path, request));
    return source;
  }
  source.tree = TRY(read_directory(source.path, source.notes));
  source.kind = wanted.value_or(looks_like_appdir(source.tree) ? Source::Kind::kAppDir
                                                               : Source::Kind::kDirectory);
  if (source.kind == Source::Kind::kAppDir && !source.tree.find("AppRun")) {
    return plain_error(kRead, source.path, "an AppDir needs a program AppRun at its top",
                       "pack it as dir:" + source.path + " with --entry PROGRAM");
  }
  return source;
}

}  // namespace rootlet::packaging
