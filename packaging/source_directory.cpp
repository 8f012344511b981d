// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <map>

#include "packaging/source.hpp"

namespace rootlet::packaging {
namespace {

constexpr std::string_view kRead = "read the source";

// A proc or sysfs that somebody mounted in the tree (a chroot in use).
bool is_kernel_filesystem(int directory) {
  struct statfs status {};
  if (::fstatfs(directory, &status) != 0) return false;
  return status.f_type == PROC_SUPER_MAGIC || status.f_type == SYSFS_MAGIC ||
         status.f_type == CGROUP2_SUPER_MAGIC || status.f_type == DEVPTS_SUPER_MAGIC;
}

class Reader {
 public:
  Reader(os::Fd root, std::string top, std::vector<std::string>& notes)
      : root_(std::make_shared<const os::Fd>(std::move(root))),
        top_(std::move(top)),
        notes_(notes) {}

  Result<Tree> read() {
    Tree tree;
    struct stat status {};
    if (::fstat(root_->get(), &status) != 0) return last_error(kRead, top_);
    tree.root() = *plain_node(status);
    std::vector<std::pair<std::string, Node*>> pending{{"", &tree.root()}};
    while (!pending.empty()) {
      const auto [path, directory] = pending.back();
      pending.pop_back();
      TRY(read_entries(path, *directory));
      for (const auto& [name, node] : directory->children) {
        if (node->is_directory()) pending.emplace_back(path + name + "/", node.get());
      }
    }
    return tree;
  }

 private:
  // Errors name the file as the user would type it.
  Error located(Error error, const std::string& path) const {
    error.subject = top_ + "/" + path;
    if (error.code == EACCES) {
      error.hint = "make it readable, remove it, or build as the user who may read it";
    }
    return error;
  }

  NodePtr plain_node(const struct stat& status) const {
    auto node = std::make_shared<Node>();
    node->kind = kind_of(status.st_mode);
    node->mode = status.st_mode & 07777;
    const bool keep = ::geteuid() == 0;
    node->uid = !keep && status.st_uid == ::geteuid() ? 0 : status.st_uid;
    node->gid = !keep && status.st_gid == ::getegid() ? 0 : status.st_gid;
    node->mtime = status.st_mtim.tv_sec;
    node->major = major(status.st_rdev);
    node->minor = minor(status.st_rdev);
    return node;
  }

  Status read_entries(const std::string& path, Node& into) {
    auto opened = open_beneath(root_->get(), path.empty() ? "." : path, O_RDONLY | O_DIRECTORY);
    if (!opened.ok()) return located(std::move(opened).error(), path);
    os::Fd fd = std::move(opened).value();
    if (is_kernel_filesystem(fd.get())) {
      notes_.push_back("/" + path +
                       " is a mounted kernel filesystem: packed as an empty directory");
      return Done{};
    }
    const int raw = fd.get();
    DIR* stream = ::fdopendir(raw);
    if (stream == nullptr) return located(last_error(kRead), path);
    fd.release();
    const Status status = read_stream(stream, raw, path, into);
    ::closedir(stream);
    return status;
  }

  Status read_stream(DIR* stream, int fd, const std::string& path, Node& into) {
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(stream);
      if (entry == nullptr) break;
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      into.children[name] = TRY(read_node(fd, name, path + name));
    }
    if (errno != 0) return located(last_error(kRead), path);
    return Done{};
  }

  Result<NodePtr> read_node(int fd, const std::string& name, const std::string& path) {
    struct stat status {};
    if (::fstatat(fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return located(last_error(kRead), path);
    }
    if (!S_ISDIR(status.st_mode) && status.st_nlink > 1) {
      NodePtr& known = links_[{status.st_dev, status.st_ino}];
      if (!known) known = TRY(new_node(fd, name, path, status));
      return known;
    }
    return new_node(fd, name, path, status);
  }

  Result<NodePtr> new_node(int fd, const std::string& name, const std::string& path,
                           const struct stat& status) {
    NodePtr node = plain_node(status);
    if (node->is_symlink()) {
      std::array<char, 4096> target{};
      const ssize_t length = ::readlinkat(fd, name.c_str(), target.data(), target.size());
      if (length < 0) return located(last_error(kRead), path);
      node->target.assign(target.data(), static_cast<std::size_t>(length));
    }
    if (node->is_file()) {
      // Found out now, not an hour into packing.
      if (::faccessat(fd, name.c_str(), R_OK, AT_EACCESS) != 0) {
        return located(last_error(kRead), path);
      }
      node->size = static_cast<std::uint64_t>(status.st_size);
      node->content = Content::of_host(root_, path);
    }
    if (node->is_file() || node->is_directory()) TRY(read_xattrs(path, *node));
    return node;
  }

  // user.* only: security.* and trusted.* mean the builder's host.
  Status read_xattrs(const std::string& path, Node& node) {
    const std::string full = top_ + "/" + path;
    std::array<char, 65536> names{};
    const ssize_t length = ::llistxattr(full.c_str(), names.data(), names.size());
    if (length <= 0) return Done{};  // ENOTSUP: a filesystem without them
    for (const char* name = names.data(); name < names.data() + length;
         name += std::string_view(name).size() + 1) {
      if (!std::string_view(name).starts_with("user.")) continue;
      std::string value(65536, '\0');  // XATTR_SIZE_MAX
      const ssize_t got = ::lgetxattr(full.c_str(), name, value.data(), value.size());
      if (got < 0) return located(last_error(kRead), path);
      value.resize(static_cast<std::size_t>(got));
      node.xattrs[name] = std::move(value);
    }
    return Done{};
  }

  std::shared_ptr<const os::Fd> root_;
  std::string top_;
  std::vector<std::string>& notes_;
  std::map<std::pair<dev_t, ino_t>, NodePtr> links_;
};

}  // namespace

Result<Tree> read_directory(const std::string& path, std::vector<std::string>& notes) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return last_error(kRead, path);
  std::string top = path;
  while (top.size() > 1 && top.ends_with('/')) top.pop_back();
  return Reader(os::Fd(fd), std::move(top), notes).read();
}

}  // namespace rootlet::packaging
