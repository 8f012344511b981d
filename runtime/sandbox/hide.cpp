// SPDX-License-Identifier: MIT
#include "runtime/sandbox/hide.hpp"

#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>

#include "runtime/os/fd.hpp"
#include "runtime/os/mount.hpp"
#include "runtime/os/mountinfo.hpp"

namespace rootlet::sandbox {
namespace {

constexpr std::string_view kHide = "hide the image servers";

struct stat status_of(int fd) {
  struct stat status {};
  ::fstat(fd, &status);
  return status;
}

Result<os::Fd> enter(int from, const std::string& name) {
  return os::open_at(from, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

bool is_out_of_sight(int code) { return code == ENOENT || code == ENOTDIR || code == EACCES; }

Status cover(int directory, const std::string& shown) {
  return os::mount_new("tmpfs", directory, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
                       "mode=500,size=4k,nr_inodes=2", shown);
}

// From the mount at `point` down to the hidden directory `number`, unless
// something else is mounted on the way, so that it does not show.
Status cover_below(const std::string& point, const std::vector<std::string>& names, ino_t number) {
  os::Fd here = TRY(enter(AT_FDCWD, point));
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto entered = enter(here.get(), names[i]);
    if (!entered.ok() && is_out_of_sight(entered.error().code)) return Done{};
    os::Fd next = TRY(std::move(entered));
    const bool on_the_way = i + 1 < names.size();
    if (on_the_way) {
      os::Fd mounted = TRY(os::mount_bind(next.get(), next.get(), point));
      next = mounted.valid() ? std::move(mounted) : TRY(enter(here.get(), names[i]));
    }
    here = std::move(next);
  }
  if (status_of(here.get()).st_ino != number) return Done{};
  return cover(here.get(), point);
}

}  // namespace

bool Hidden::may_show_in(const Root& root, const std::vector<std::string>& directories) {
  struct stat status {};
  const auto shows = [&](const std::string& path) {
    return ::stat(path.c_str(), &status) == 0 && root.may_show(status.st_dev);
  };
  return shows("/sys/fs/fuse/connections") ||
         std::any_of(directories.begin(), directories.end(), shows);
}

Result<Hidden> Hidden::look_at(const std::vector<std::string>& directories) {
  Hidden hidden;
  for (const std::string& path : directories) {
    os::Fd here = TRY(enter(AT_FDCWD, path));
    char name[4096];
    const ssize_t length = ::readlink(os::fd_path(here.get()).c_str(), name, sizeof name);
    if (length <= 0) return last_error(kHide, path);
    std::string rest(name, static_cast<std::size_t>(length));
    struct stat status = status_of(here.get());
    Directory directory{status.st_dev, status.st_ino, {{status.st_ino, {}}}};
    while (rest.size() > 1) {
      here = TRY(enter(here.get(), ".."));
      status = status_of(here.get());
      if (status.st_dev != directory.device) break;
      const std::size_t slash = rest.rfind('/');
      Ancestor ancestor{status.st_ino, directory.way.back().below};
      ancestor.below.insert(ancestor.below.begin(), rest.substr(slash + 1));
      directory.way.push_back(std::move(ancestor));
      rest.resize(slash);
    }
    hidden.directories_.push_back(std::move(directory));
  }
  return hidden;
}

Status Hidden::hide() const {
  for (const os::MountEntry& mount : TRY(os::list_mounts())) {
    const bool switches = mount.type == "fusectl";
    const auto on_it = [&](const Directory& directory) { return directory.device == mount.device; };
    if (!switches && std::none_of(directories_.begin(), directories_.end(), on_it)) continue;
    auto entered = os::open_at(AT_FDCWD, mount.point, O_PATH | O_NOFOLLOW);
    // Something else is mounted on the way, or nobody may go there.
    if (!entered.ok() && is_out_of_sight(entered.error().code)) continue;
    const os::Fd top = TRY(std::move(entered));
    if (switches) TRY(cover(top.get(), mount.point));
    for (const Directory& directory : directories_) {
      if (!on_it(directory)) continue;
      for (const Ancestor& ancestor : directory.way) {
        if (status_of(top.get()).st_ino != ancestor.number) continue;
        TRY(cover_below(mount.point, ancestor.below, directory.number));
      }
    }
  }
  return Done{};
}

}  // namespace rootlet::sandbox
