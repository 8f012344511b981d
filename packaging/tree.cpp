// SPDX-License-Identifier: MIT
#include "packaging/tree.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <deque>

namespace rootlet::packaging {
namespace {

constexpr std::string_view kResolve = "look into the image";
constexpr std::string_view kPut = "arrange the image";
// As the kernel: path_lookup gives up after 40 symlinks (path_resolution(7)).
constexpr int kMaximumLinks = 40;
constexpr std::size_t kMaximumName = 255;   // NAME_MAX; squashfs allows 256
constexpr std::size_t kMaximumPath = 4095;  // PATH_MAX less the NUL: longer ones cannot be opened

Error absent(int code, std::string_view path) {
  Error error{code, std::string(kResolve), std::string(path), {}, {}};
  return error;
}

std::string join(const std::vector<std::string>& parts) {
  std::string path;
  for (const std::string& part : parts) path += "/" + part;
  return path.empty() ? "/" : path;
}

// One walk over a path with symlinks followed: what resolve() and
// make_directories() share.
struct Walk {
  const NodePtr& root;
  bool make = false;
  std::int64_t mtime = 0;
  std::vector<NodePtr> nodes = {};  // one per part below the root
  std::vector<std::string> parts = {};
  int links = 0;
  std::deque<std::string> pending = {};

  const NodePtr& here() const { return nodes.empty() ? root : nodes.back(); }

  Status step(const std::string& part, std::string_view path) {
    if (!here()->is_directory()) return absent(ENOTDIR, path);
    if (part == "..") {
      if (!nodes.empty()) {
        nodes.pop_back();
        parts.pop_back();
      }
      return Done{};
    }
    auto found = here()->children.find(part);
    if (found == here()->children.end()) {
      if (!make) return absent(ENOENT, path);
      found = here()->children.emplace(part, make_directory(0755, mtime)).first;
    }
    const NodePtr node = found->second;
    if (!node->is_symlink()) {
      nodes.push_back(node);
      parts.push_back(part);
      return Done{};
    }
    if (++links > kMaximumLinks) return absent(ELOOP, path);
    if (node->target.starts_with('/')) {
      nodes.clear();
      parts.clear();
    }
    const std::vector<std::string> inner = split_path(node->target);
    pending.insert(pending.begin(), inner.begin(), inner.end());
    return Done{};
  }

  Result<Tree::Place> run(std::string_view path) {
    const std::vector<std::string> start = split_path(path);
    pending.assign(start.begin(), start.end());
    while (!pending.empty()) {
      const std::string part = pending.front();
      pending.pop_front();
      TRY(step(part, path));
    }
    return Tree::Place{join(parts), here()};
  }
};

}  // namespace

Node::Kind kind_of(unsigned mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR: return Node::Kind::kDirectory;
    case S_IFLNK: return Node::Kind::kSymlink;
    case S_IFCHR: return Node::Kind::kCharDevice;
    case S_IFBLK: return Node::Kind::kBlockDevice;
    case S_IFIFO: return Node::Kind::kFifo;
    case S_IFSOCK: return Node::Kind::kSocket;
    default: return Node::Kind::kFile;
  }
}

NodePtr make_file(std::string bytes, unsigned mode, std::int64_t mtime) {
  auto node = std::make_shared<Node>();
  node->mode = mode;
  node->mtime = mtime;
  node->size = bytes.size();
  node->content = Content::of_text(std::move(bytes));
  return node;
}

NodePtr make_directory(unsigned mode, std::int64_t mtime) {
  auto node = std::make_shared<Node>();
  node->kind = Node::Kind::kDirectory;
  node->mode = mode;
  node->mtime = mtime;
  return node;
}

NodePtr make_symlink(std::string target, std::int64_t mtime) {
  auto node = std::make_shared<Node>();
  node->kind = Node::Kind::kSymlink;
  node->mode = 0777;
  node->mtime = mtime;
  node->target = std::move(target);
  return node;
}

NodePtr Tree::find(std::string_view path) const {
  NodePtr node = root_;
  for (const std::string& part : split_path(path)) {
    const auto found = node->children.find(part);
    if (found == node->children.end()) return nullptr;
    node = found->second;
  }
  return node;
}

Status Tree::put(std::string_view path, NodePtr node) {
  const std::vector<std::string> parts = split_path(path);
  if (path.size() > kMaximumPath) return plain_error(kPut, path, "the name is too long");
  for (const std::string& part : parts) {
    if (part.size() > kMaximumName) return plain_error(kPut, path, "the name is too long");
    if (part == "..") return plain_error(kPut, path, "the name climbs out of the tree");
  }
  if (parts.empty()) {
    if (!node->is_directory()) return plain_error(kPut, "/", "the root is not a directory");
    node->children.merge(root_->children);
    root_ = std::move(node);
    return Done{};
  }
  NodePtr parent = root_;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    NodePtr& next = parent->children[parts[i]];
    if (!next) next = make_directory(0755, node->mtime);
    if (!next->is_directory()) {
      return plain_error(kPut, path,
                         "a part of this name is not a directory but a " +
                             std::string(next->is_symlink() ? "symlink" : "file"));
    }
    parent = next;
  }
  NodePtr& slot = parent->children[parts.back()];
  if (slot && slot->is_directory() && node->is_directory()) node->children.merge(slot->children);
  slot = std::move(node);
  return Done{};
}

Result<Tree::Place> Tree::resolve(std::string_view path) const { return Walk{root_}.run(path); }

Result<Tree::Place> Tree::make_directories(std::string_view path, std::int64_t mtime) {
  return Walk{root_, true, mtime}.run(path);
}

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    if (!part.empty() && part != ".") parts.emplace_back(part);
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

std::string parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return "/";
  return std::string(path.substr(0, slash));
}

std::string name_of(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

}  // namespace rootlet::packaging
