// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "packaging/content.hpp"
#include "runtime/base/result.hpp"

namespace rootlet::packaging {

struct Node;
using NodePtr = std::shared_ptr<Node>;

// One inode of the image to be. Hard links are several names for one Node.
struct Node {
  enum class Kind {
    kDirectory,
    kFile,
    kSymlink,
    kCharDevice,
    kBlockDevice,
    kFifo,
    kSocket
  };

  Kind kind = Kind::kFile;
  unsigned mode = 0644;  // permission bits, set-id and sticky included
  std::uint32_t uid = 0, gid = 0;
  std::int64_t mtime = 0;
  std::string target;             // of a symlink: data, never followed on the host
  unsigned major = 0, minor = 0;  // of a device
  std::uint64_t size = 0;         // of a file
  Content content;                // of a file
  std::map<std::string, std::string> xattrs;
  std::map<std::string, NodePtr, std::less<>> children;  // in byte order

  bool is_directory() const { return kind == Kind::kDirectory; }
  bool is_file() const { return kind == Kind::kFile; }
  bool is_symlink() const { return kind == Kind::kSymlink; }
};

// Of the type bits of st_mode; what has none of them is a file.
Node::Kind kind_of(unsigned mode);

// A file with these bytes, as build adds them to an image.
NodePtr make_file(std::string bytes, unsigned mode, std::int64_t mtime);
NodePtr make_directory(unsigned mode, std::int64_t mtime);
NodePtr make_symlink(std::string target, std::int64_t mtime);

// The image to be, in memory: names and inodes, but not the files' bytes.
// Every change that build makes is made here, never in the source.
class Tree {
 public:
  Tree() : root_(make_directory(0755, 0)) {}

  Node& root() { return *root_; }
  const Node& root() const { return *root_; }

  // The node of exactly this name; null where a part is missing or a symlink.
  NodePtr find(std::string_view path) const;

  // Puts a node at a path, in place of what had that name; a directory put
  // over a directory keeps the entries. Missing parents are made. A symlink
  // on the way is an error: nothing is ever written through one.
  Status put(std::string_view path, NodePtr node);

  // What a program with this tree as its root would reach: symlinks are
  // followed inside. Errors: ENOENT, ENOTDIR, ELOOP.
  struct Place {
    std::string path;  // without symlinks, absolute
    NodePtr node;
  };
  Result<Place> resolve(std::string_view path) const;

  // The same, with missing directories made on the way (mode 0755): for the
  // mount points. The parent of a dangling symlink's target may be missing.
  Result<Place> make_directories(std::string_view path, std::int64_t mtime);

  // Calls visit(path, node) for each name, parents first, in byte order; the
  // path has no leading slash.
  template <typename Visit>
  void each(Visit visit) const {
    walk("", *root_, visit);
  }

 private:
  template <typename Visit>
  static void walk(const std::string& prefix, const Node& directory, Visit& visit) {
    for (const auto& [name, node] : directory.children) {
      const std::string path = prefix + name;
      visit(path, node);
      if (node->is_directory()) walk(path + "/", *node, visit);
    }
  }

  NodePtr root_;
};

// "a//b/./c/" -> {"a", "b", "c"}; ".." stays a part.
std::vector<std::string> split_path(std::string_view path);

// "/usr/bin" of "/usr/bin/tool"; "/" of "/tool".
std::string parent_of(std::string_view path);
std::string name_of(std::string_view path);

}  // namespace rootlet::packaging
