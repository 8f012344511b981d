// SPDX-License-Identifier: MIT
#include "launcher/learn/image_listing.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <memory>

#include "runtime/os/fd.hpp"

namespace rootlet::learn {
namespace {

constexpr int kDeepest = 100;  // directories in each other; nobody's names are longer

struct Close {
  void operator()(DIR* stream) const { ::closedir(stream); }
};

class Listing {
 public:
  explicit Listing(dev_t device) : device_(device) {}

  void add(os::Fd directory, const std::string& path, int depth) {
    struct stat status {};
    if (::fstat(directory.get(), &status) != 0 || status.st_dev != device_ || depth > kDeepest)
      return;
    const int fd = directory.get();
    const std::unique_ptr<DIR, Close> stream(::fdopendir(directory.release()));
    if (!stream) return;
    while (const dirent* entry = ::readdir(stream.get())) {
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (entry->d_type == DT_REG) files.push_back(path + "/" + name);
      if (entry->d_type != DT_DIR) continue;
      add(os::Fd(::openat(fd, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)),
          path + "/" + name, depth + 1);
    }
  }

  std::vector<std::string> files;

 private:
  dev_t device_;
};

}  // namespace

std::vector<std::string> list_image(pid_t tid) {
  const std::string path = "/proc/" + std::to_string(tid) + "/root/";
  os::Fd root(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (!root.valid() || ::fstat(root.get(), &status) != 0) return {};
  Listing listing(status.st_dev);
  listing.add(std::move(root), "", 0);
  return std::move(listing.files);
}

}  // namespace rootlet::learn
