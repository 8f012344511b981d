// SPDX-License-Identifier: MIT
#include "packaging/layers.hpp"

#include <algorithm>

namespace rootlet::packaging {
namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";
constexpr std::string_view kAufs = ".wh..wh.";  // an old driver's own records
constexpr std::size_t kLongestName = 255, kLongestPath = 4095;

std::string joined(const std::string& directory, const std::string& name) {
  return directory == "/" ? "/" + name : directory + "/" + name;
}

std::string directory_of(const std::vector<std::string>& parts) {
  std::string path;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) path += "/" + parts[i];
  return path.empty() ? "/" : path;
}

}  // namespace

Status Layers::apply(TarReader& layer) {
  own_.clear();
  for (;;) {
    auto member = TRY(layer.next());
    if (!member) return Done{};
    TRY(apply_member(layer, std::move(*member)));
  }
}

Status Layers::apply_member(TarReader& layer, Member member) {
  const std::vector<std::string> parts = split_path(member.path);
  for (const std::string& part : parts) {
    if (part == "..") return layer.refused(member.path, "the name climbs out of the image");
    if (part.size() > kLongestName) return layer.refused(member.path, "the name is too long");
  }
  if (parts.empty()) {
    if (!member.node || !member.node->is_directory()) {
      return layer.refused(member.path, "the root is not a directory");
    }
    member.node->children = std::move(tree_.root().children);
    tree_.root() = *member.node;
    return Done{};
  }
  const auto reserved = [](const std::string& part) { return part.starts_with(kWhiteout); };
  if (std::any_of(parts.begin(), parts.end(), reserved)) {
    return apply_whiteout(layer, member.path, parts);
  }
  if (!member.hardlink.empty()) member.node = TRY(linked(layer, member));

  const auto parent = tree_.make_directories(directory_of(parts), member.node->mtime);
  if (!parent.ok() || !parent.value().node->is_directory()) {
    return layer.refused(member.path, "a part of this name is not a directory");
  }
  const std::string path = joined(parent.value().path, parts.back());
  if (path.size() > kLongestPath) return layer.refused(member.path, "the name is too long");
  NodePtr& slot = parent.value().node->children[parts.back()];
  if (slot && slot->is_directory() && member.node->is_directory()) {
    member.node->children = std::move(slot->children);
  }
  slot = std::move(member.node);
  own_.insert(path);
  return Done{};
}

// The other name may be of this layer or of one below.
Result<NodePtr> Layers::linked(TarReader& layer, const Member& member) const {
  const std::vector<std::string> parts = split_path(member.hardlink);
  if (std::find(parts.begin(), parts.end(), "..") != parts.end() || parts.empty()) {
    return layer.refused(member.path,
                         "a hard link to " + member.hardlink + ", which is outside of the image");
  }
  const auto parent = tree_.resolve(directory_of(parts));
  if (parent.ok() && parent.value().node->is_directory()) {
    const auto found = parent.value().node->children.find(parts.back());
    if (found != parent.value().node->children.end() && !found->second->is_directory()) {
      return found->second;
    }
  }
  return layer.refused(member.path,
                       "a hard link to " + member.hardlink + ", which no layer has up to here");
}

Status Layers::apply_whiteout(TarReader& layer, const std::string& path,
                              const std::vector<std::string>& parts) {
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    if (parts[i].starts_with(kAufs)) return Done{};
    if (parts[i].starts_with(kWhiteout)) {
      return layer.refused(path, "a whiteout that is a directory with entries");
    }
  }
  const std::string& last = parts.back();
  const auto parent = tree_.resolve(directory_of(parts));
  const bool there = parent.ok() && parent.value().node->is_directory();
  if (last == kOpaque) {
    if (there) hide_all(*parent.value().node, parent.value().path);
    return Done{};
  }
  if (last.starts_with(kAufs)) return Done{};
  const std::string name = last.substr(kWhiteout.size());
  if (name.empty() || name == "." || name == "..") {
    return layer.refused(path, "a whiteout of \"" + name + "\", which is no entry of a directory");
  }
  if (there) hide(*parent.value().node, name, joined(parent.value().path, name));
  return Done{};
}

// What the layer itself has put there stays, and the directories it lies in.
void Layers::hide(Node& parent, const std::string& name, const std::string& path) {
  const auto found = parent.children.find(name);
  if (found == parent.children.end()) return;
  Node& node = *found->second;
  if (node.is_directory()) hide_all(node, path);
  if (own_.contains(path) || !node.children.empty()) return;
  parent.children.erase(found);
}

void Layers::hide_all(Node& directory, const std::string& path) {
  std::vector<std::string> names;
  for (const auto& [name, node] : directory.children) names.push_back(name);
  for (const std::string& name : names) hide(directory, name, joined(path, name));
}

}  // namespace rootlet::packaging
