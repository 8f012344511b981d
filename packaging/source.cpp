// SPDX-License-Identifier: MIT
#include "packaging/source.hpp"

#include <sys/stat.h>

#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "packaging/container_image.hpp"
#include "packaging/put_into_root.hpp"
#include "packaging/source_appimage.hpp"
#include "packaging/source_conda.hpp"
#include "packaging/source_container.hpp"
#include "packaging/source_debian.hpp"

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

using Kind = Source::Kind;
constexpr std::array kPrefixes = std::to_array<std::pair<std::string_view, Kind>>({
    {"dir:", Kind::kDirectory},
    {"tar:", Kind::kTar},
    {"appdir:", Kind::kAppDir},
    {"oci:", Kind::kOci},
    {"docker-archive:", Kind::kDockerArchive},
    {"deb:", Kind::kDebian},
    {"conda:", Kind::kConda},
    {"appimage:", Kind::kAppImage},
});

std::optional<Kind> take_prefix(std::string& spec) {
  for (const auto& [prefix, kind] : kPrefixes) {
    if (!spec.starts_with(prefix)) continue;
    spec.erase(0, prefix.size());
    return kind;
  }
  return std::nullopt;
}

// PATH, or PATH:TAG where there is no PATH of the whole name. TAG may be a
// reference with colons of its own.
std::string take_tag(std::string& path) {
  struct stat status {};
  std::size_t colon = path.find(':', 1);
  while (::stat(path.c_str(), &status) != 0 && colon != std::string::npos) {
    if (::stat(path.substr(0, colon).c_str(), &status) == 0) {
      std::string tag = path.substr(colon + 1);
      path.resize(colon);
      return tag;
    }
    colon = path.find(':', colon + 1);
  }
  return "";
}

Result<std::string> first_bytes(const std::string& path) {
  const os::Fd file = TRY(os::open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK));
  std::array<char, 512> bytes{};
  const ssize_t got = ::pread(file.get(), bytes.data(), bytes.size(), 0);
  if (got < 0) return last_error(kRead, path);
  return std::string(bytes.data(), static_cast<std::size_t>(got));
}

// What a file says by its first bytes; a tar has none that all writers write.
Kind kind_of_file(const std::string& path, const std::string& head) {
  if (head.starts_with("\177ELF") || head.starts_with("hsqs")) return Kind::kAppImage;
  if (head.starts_with("!<arch>\ndebian-binary")) return Kind::kDebian;
  const bool environment = path.ends_with(".yml") || path.ends_with(".yaml");
  if (environment || head.find("@EXPLICIT") != std::string::npos) return Kind::kConda;
  return Kind::kTar;
}

Kind kind_of_directory(const Tree& tree) {
  if (looks_like_oci(tree)) return Kind::kOci;
  if (tree.find("conda-meta/history")) return Kind::kConda;
  return looks_like_appdir(tree) ? Kind::kAppDir : Kind::kDirectory;
}

Kind kind_of_archive(const Tree& tree) {
  if (looks_like_oci(tree)) return Kind::kOci;
  return looks_like_docker(tree) ? Kind::kDockerArchive : Kind::kTar;
}

Error not_such(const std::string& path, std::string_view reason, std::string_view hint = {}) {
  return plain_error(kRead, path, reason, hint);
}

bool is_container(std::optional<Kind> kind) {
  return kind == Kind::kOci || kind == Kind::kDockerArchive;
}

// The files of an image or an archive have been read: what are they?
Result<Source> from_files(Tree files, std::optional<Kind> wanted, bool directory, Source source,
                          const std::string& tag, const SourceRequest& request) {
  source.kind = wanted.value_or(directory ? kind_of_directory(files) : kind_of_archive(files));
  if (is_container(source.kind)) {
    const bool readable = looks_like_oci(files) ||
                          (source.kind == Kind::kDockerArchive && files.find("manifest.json"));
    if (!readable) {
      return not_such(source.path,
                      source.kind == Kind::kOci ? "no OCI layout: it lacks oci-layout or index.json"
                                                : "no docker archive: it lacks manifest.json",
                      "write one with skopeo copy or docker save; an exported root is a tar:");
    }
    return read_container(source.kind, source.path, files, tag, request);
  }
  if (source.kind == Kind::kAppDir && !files.find("AppRun")) {
    return not_such(source.path, "an AppDir needs a program AppRun at its top",
                    "pack it as dir:" + source.path + " with --entry PROGRAM");
  }
  if (source.kind == Kind::kConda) return read_conda_prefix(source.path, std::move(files));
  source.tree = std::move(files);
  return source;
}

Result<Source> read_path(std::string path, std::optional<Kind> wanted,
                         const SourceRequest& request) {
  const std::string tag = is_container(wanted) ? take_tag(path) : "";
  Source source;
  source.path = path;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return last_error(kRead, path, wanted ? "" : "a Debian package is named as deb:PACKAGE");
  }
  const bool directory = S_ISDIR(status.st_mode);
  if (wanted == Kind::kTar && directory) return not_such(path, "a directory, not a tar archive");
  if ((wanted == Kind::kDirectory || wanted == Kind::kAppDir) && !directory) {
    return not_such(path, "not a directory");
  }
  if (directory && wanted == Kind::kAppImage) return not_such(path, "a directory, not an AppImage");
  if (directory) {
    Tree files = TRY(read_directory(path, source.notes));
    return from_files(std::move(files), wanted, true, std::move(source), tag, request);
  }
  const Kind kind = wanted ? *wanted : kind_of_file(path, TRY(first_bytes(path)));
  if (kind == Kind::kAppImage) return read_appimage(path, request);
  if (kind == Kind::kConda) return read_conda_file(path, request);
  if (kind == Kind::kDebian) {
    return read_debian(path.starts_with('/') ? path : "./" + path, request);
  }
  Tree files = TRY(read_tar(path, request));
  return from_files(std::move(files), wanted, false, std::move(source), tag, request);
}

// What has an effect where the archive was made, and none in a run: said once,
// with an example, so that nobody waits for it.
void note_powerless(Source& source) {
  std::size_t devices = 0, set_id = 0;
  std::string device, program;
  source.tree.each([&](const std::string& path, const NodePtr& node) {
    const bool special =
        node->kind == Node::Kind::kCharDevice || node->kind == Node::Kind::kBlockDevice;
    if (special && devices++ == 0) device = path;
    if (node->is_file() && (node->mode & 06000) != 0 && set_id++ == 0) program = path;
  });
  if (devices > 0) {
    source.notes.push_back("device nodes are packed and do not open inside: " +
                           std::to_string(devices) + ", for example /" + device);
  }
  if (set_id > 0) {
    source.notes.push_back("set-user-ID and set-group-ID have no effect inside: " +
                           std::to_string(set_id) + ", for example /" + program);
  }
}

Result<Source> read_one(const SourceRequest& request) {
  std::string rest = request.spec;
  const std::optional<Kind> wanted = take_prefix(rest);
  if (wanted == Kind::kDebian) return read_debian(rest, request);
  if (rest.empty()) return not_such(request.spec, "it names nothing");
  return read_path(std::move(rest), wanted, request);
}

}  // namespace

std::string_view kind_name(Source::Kind kind) {
  for (const auto& [prefix, known] : kPrefixes) {
    if (known == kind)
      return kind == Kind::kDirectory ? "directory" : prefix.substr(0, prefix.size() - 1);
  }
  return "?";
}

Result<Source> read_source(const SourceRequest& request) {
  Source source = TRY(read_one(request));
  note_powerless(source);
  std::string root = request.with_root;
  // What conda installs counts on the host's C library and shell.
  if (root.empty() && source.kind == Kind::kConda) root = "deb:base-files";
  if (root.empty()) return source;
  SourceRequest below = request;
  below.spec = root;
  below.with_root.clear();
  if (source.kind == Kind::kDebian) below.with.clear();
  return put_into_root(std::move(source), TRY(read_one(below)), request.machine);
}

}  // namespace rootlet::packaging
