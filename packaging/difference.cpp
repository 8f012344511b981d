// SPDX-License-Identifier: MIT
#include "packaging/difference.hpp"

#include <cstring>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>

namespace rootlet::packaging {
namespace {

constexpr std::string_view kCompare = "compare with the base";

using Names = std::unordered_map<const Node*, std::vector<std::string>>;

Names names_of(const Tree& tree) {
  Names names;
  tree.each([&](const std::string& path, const NodePtr& node) {
    if (!node->is_directory()) names[node.get()].push_back(path);
  });
  return names;
}

bool is_whiteout(const Node& node) {
  return node.kind == Node::Kind::kCharDevice && node.major == 0 && node.minor == 0;
}

// What overlayfs would take for a sign of its own.
Status check_plain(const Tree& tree, const std::string& which) {
  std::string found;
  tree.each([&](const std::string& path, const NodePtr& node) {
    bool marked = false;
    for (const auto& [name, value] : node->xattrs) {
      marked = marked || name.starts_with("user.overlay.") || name.starts_with("trusted.overlay.");
    }
    if (is_whiteout(*node) || marked) found = path;
  });
  if (found.empty()) return Done{};
  return plain_error(kCompare, "/" + found,
                     "in " + which + " it is a whiteout, or carries a mark of overlayfs",
                     "remove it, or build without --base");
}

NodePtr make_whiteout(std::int64_t time) {
  auto node = std::make_shared<Node>();
  node->kind = Node::Kind::kCharDevice;
  node->mode = 0;
  node->mtime = time;
  return node;
}

bool same_attributes(const Node& a, const Node& b) {
  return a.kind == b.kind && a.mode == b.mode && a.uid == b.uid && a.gid == b.gid &&
         a.target == b.target && a.size == b.size && a.major == b.major && a.minor == b.minor &&
         a.xattrs == b.xattrs;
}

class Subtraction {
 public:
  Subtraction(Tree& tree, const Tree& base)
      : tree_(tree), base_(base), names_(names_of(tree)), base_names_(names_of(base)) {}

  Result<Difference> run() {
    TRY(directory(tree_.root(), base_.root(), ""));
    return difference_;
  }

 private:
  // Of a directory that both have. What is left in it differs.
  Status directory(Node& mine, const Node& other, const std::string& path) {
    for (auto at = mine.children.begin(); at != mine.children.end();) {
      const auto& [name, node] = *at;
      const auto found = other.children.find(name);
      const bool shared =
          found != other.children.end() &&
          TRY(is_shared(node, found->second, path.empty() ? name : path + "/" + name));
      if (!shared) count_own(*node);
      at = shared ? mine.children.erase(at) : std::next(at);
    }
    for (const auto& [name, node] : other.children) {
      if (mine.children.contains(name) || shared_.contains(node.get())) continue;
      mine.children[name] = make_whiteout(0);
      ++difference_.removed;
    }
    return Done{};
  }

  Result<bool> is_shared(const NodePtr& node, const NodePtr& other, const std::string& path) {
    if (node->is_directory() && other->is_directory()) {
      TRY(directory(*node, *other, path));
      if (!node->children.empty() || path == ".rootlet" || !same_attributes(*node, *other) ||
          node->mtime != other->mtime) {
        return false;
      }
      shared_.insert(other.get());
      return true;
    }
    const bool of_the_appimage = path.find('/') == std::string::npos &&
                                 (node->is_file() || path == "AppRun" || path == ".DirIcon");
    if (of_the_appimage || path.starts_with(".rootlet/")) return false;
    if (!TRY(is_same(*node, *other))) return false;
    shared_.insert(other.get());
    if (node->is_file() && counted_.insert(node.get()).second) {
      ++difference_.shared_files;
      difference_.shared_bytes += node->size;
    }
    return true;
  }

  // Asked once of each pair: hard links come again.
  Result<bool> is_same(const Node& node, const Node& other) {
    if (!same_attributes(node, other) || names_[&node] != base_names_[&other]) return false;
    const auto known = compared_.find(&node);
    if (known != compared_.end()) return known->second;
    bool same = !node.is_file() || TRY(same_bytes(node, other));
    if (same && node.mtime != other.mtime) {
      same = false;
      ++difference_.retimed_files;
      difference_.retimed_bytes += node.size;
    }
    compared_[&node] = same;
    return same;
  }

  Result<bool> same_bytes(const Node& node, const Node& other) {
    const OpenContent mine = TRY(node.content.open());
    const OpenContent theirs = TRY(other.content.open());
    for (std::uint64_t at = 0; at < node.size;) {
      const std::size_t size = std::min<std::uint64_t>(left_.size(), node.size - at);
      TRY(mine.read_at(at, left_.data(), size));
      TRY(theirs.read_at(at, right_.data(), size));
      if (std::memcmp(left_.data(), right_.data(), size) != 0) return false;
      at += size;
    }
    return true;
  }

  void count_own(const Node& node) {
    if (node.is_directory()) {
      // One that the base has was counted entry by entry.
      for (const auto& [name, child] : node.children) count_own(*child);
    } else if (node.is_file() && counted_.insert(&node).second) {
      ++difference_.own_files;
      difference_.own_bytes += node.size;
    }
  }

  Tree& tree_;
  const Tree& base_;
  Names names_, base_names_;
  std::unordered_map<const Node*, bool> compared_;
  std::unordered_set<const Node*> counted_, shared_;
  Difference difference_;
  std::string left_ = std::string(1 << 20, '\0'), right_ = std::string(1 << 20, '\0');
};

}  // namespace

Result<Difference> subtract_base(Tree& tree, const Tree& base) {
  TRY(check_plain(tree, "the source"));
  TRY(check_plain(base, "the base"));
  return Subtraction(tree, base).run();
}

Tree laid_over(const Tree& base, const Tree& above) {
  Tree both;
  struct Lay {
    static void over(Node& into, const Node& below, const Node& above) {
      const auto children = below.children;
      into = above;
      into.children = children;
      for (const auto& [name, node] : above.children) {
        const auto found = children.find(name);
        if (is_whiteout(*node)) {
          into.children.erase(name);
        } else if (node->is_directory() && found != children.end() &&
                   found->second->is_directory()) {
          auto merged = std::make_shared<Node>();
          over(*merged, *found->second, *node);
          into.children[name] = merged;
        } else {
          into.children[name] = node;
        }
      }
    }
  };
  Lay::over(both.root(), base.root(), above.root());
  return both;
}

Result<PackedImage> read_base(const std::string& path, std::uint16_t machine) {
  constexpr std::string_view kUse = "use the base";
  PackedImage base = TRY(read_image_tree(path));
  if (!base.policy.base.name.empty()) {
    return plain_error(kUse, path, "it lies on " + base.policy.base.name + " itself",
                       "name that one as the base");
  }
  if (base.digest.empty()) {
    return plain_error(kUse, path, "it does not tell its content's digest",
                       "build it anew with this rootlet");
  }
  if (base.machine != 0 && base.machine != machine) {
    return plain_error(kUse, path, "it is for another machine than the stub");
  }
  return base;
}

namespace {

// How much of the tool the base has.
Status write_down(Tree& tree, const Difference& found) {
  const std::string path = ".rootlet/build.json";
  const NodePtr file = tree.find(path);
  if (!file) return Done{};
  std::string text(file->size, '\0');
  const OpenContent content = TRY(file->content.open());
  TRY(content.read_at(0, text.data(), text.size()));
  auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return Done{};
  json["base"] = {{"shared_files", found.shared_files},
                  {"shared_bytes", found.shared_bytes},
                  {"own_files", found.own_files},
                  {"own_bytes", found.own_bytes},
                  {"hidden_names", found.removed}};
  return tree.put(path, make_file(json.dump(2) + "\n", file->mode, file->mtime));
}

}  // namespace

Result<std::string> lay_on_base(Tree& tree, const PackedImage& base) {
  const Difference found = TRY(subtract_base(tree, base.tree));
  TRY(write_down(tree, found));
  const auto mib = [](std::uint64_t bytes) {
    return std::to_string(bytes >> 20) + "." + std::to_string((bytes % (1 << 20)) * 10 >> 20) +
           " MiB";
  };
  std::string text = name_of(base.file) + " has " + mib(found.shared_bytes) + " in " +
                     std::to_string(found.shared_files) + " files of it";
  if (found.removed > 0) text += "; " + std::to_string(found.removed) + " of its names are hidden";
  if (found.retimed_files > 0) {
    text += "; " + mib(found.retimed_bytes) + " differ in nothing but their times (set " +
            "SOURCE_DATE_EPOCH for both builds to share them)";
  }
  return text;
}

}  // namespace rootlet::packaging
