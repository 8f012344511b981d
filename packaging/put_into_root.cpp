// SPDX-License-Identifier: MIT
#include "packaging/put_into_root.hpp"

#include <algorithm>

#include "packaging/appdir.hpp"
#include "packaging/check.hpp"
#include "packaging/policy_file.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::string_view kPut = "put the source into its root";

// What makes an AppDir one stays at the top of the image, too.
void show_desktop_files(const Tree& appdir, Tree& root) {
  for (const auto& [name, node] : appdir.root().children) {
    const bool picture = name == ".DirIcon" || name.ends_with(".png") || name.ends_with(".svg") ||
                         name.ends_with(".xpm");
    const auto place = appdir.resolve(name);
    if (!(picture || name.ends_with(".desktop")) || !place.ok()) continue;
    if (place.value().node->is_file()) root.root().children[name] = place.value().node;
  }
}

Status put_appdir(Source& source, Source& root, std::uint16_t machine) {
  std::string name = source.policy.name;
  if (name.empty()) name = desktop_name(source.tree);
  if (name.empty()) name = name_of(source.path);
  source.policy.name = name;
  const std::string place = "/opt/" + file_name_of(name);
  const auto opt = root.tree.make_directories("/opt", 0);
  if (!opt.ok() || !opt.value().node->is_directory()) {
    return plain_error(kPut, place, "the root has no directory /opt");
  }
  show_desktop_files(source.tree, root.tree);
  auto node = std::make_shared<Node>();
  *node = source.tree.root();
  opt.value().node->children[file_name_of(name)] = std::move(node);
  if (!source.policy.entrypoint.empty()) return Done{};
  const std::string program = place + "/AppRun";
  Check check(root.tree, machine, source.policy.env);
  const Status status = check.program(program);
  if (!status.ok()) {
    Error error = status.error();
    error.hint = "give it a root that has what its AppRun needs: --with-root deb:PACKAGE";
    return error;
  }
  // The runtime would say where the image's own AppRun lies; an AppRun looks
  // for its files there. env(1) is in every root that has a shell.
  source.policy.entrypoint = {program};
  if (root.tree.resolve("/usr/bin/env").ok()) {
    source.policy.entrypoint = {"/usr/bin/env", "APPDIR=" + place, program};
  } else {
    source.notes.push_back("the root has no /usr/bin/env: APPDIR is / for " + program);
  }
  return Done{};
}

// Names that meet: directories are merged, of anything else the upper one is
// kept. A directory over a symlink that leads to one goes where it leads, as
// /lib over a merged /usr.
Status lay_over(const Node& upper, const std::string& path, Tree& root) {
  for (const auto& [name, node] : upper.children) {
    const std::string at = path + "/" + name;
    const auto parent = root.make_directories(path.empty() ? "/" : path, node->mtime);
    if (!parent.ok() || !parent.value().node->is_directory()) {
      return plain_error(kPut, at, "the root has no directory there");
    }
    NodePtr& slot = parent.value().node->children[name];
    if (node->is_directory() && slot) {
      const auto below = root.resolve(at);
      if (below.ok() && below.value().node->is_directory()) {
        TRY(lay_over(*node, at, root));
        continue;
      }
    }
    slot = node;
  }
  return Done{};
}

}  // namespace

Result<Source> put_into_root(Source source, Source root, std::uint16_t machine) {
  const bool appdir =
      source.kind == Source::Kind::kAppDir || source.kind == Source::Kind::kAppImage;
  if (appdir) {
    TRY(put_appdir(source, root, machine));
  } else {
    TRY(lay_over(source.tree.root(), "", root.tree));
  }
  source.tree = std::move(root.tree);
  // The root is no tool of its own; its variables are those of its programs.
  Policy surroundings;
  surroundings.env = root.policy.env;
  source.policy = with_blanks_filled(std::move(source.policy), surroundings);
  source.notes.insert(source.notes.end(), root.notes.begin(), root.notes.end());
  if (root.time) source.time = std::max(*root.time, source.time.value_or(0));
  source.origin.emplace_back("root", std::string(kind_name(root.kind)) + ":" + root.path);
  for (auto& [key, value] : root.origin) source.origin.emplace_back("root-" + key, value);
  source.scratch = std::make_shared<std::pair<std::shared_ptr<void>, std::shared_ptr<void>>>(
      source.scratch, root.scratch);
  return source;
}

}  // namespace rootlet::packaging
