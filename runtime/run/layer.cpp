// SPDX-License-Identifier: MIT
#include "runtime/run/layer.hpp"

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <array>

#include "runtime/os/fd.hpp"
#include "runtime/os/mountinfo.hpp"
#include "runtime/run/paths.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kLayer = "lay a writable layer over the root";

// File systems that cannot hold the upper part of an overlay: no rename with
// whiteouts, or no d_type, or they change behind the kernel's back
// (Documentation/filesystems/overlayfs.rst). Numbers: statfs(2), magic.h.
struct Unfit {
  std::uint32_t magic;
  std::string_view name;
};
constexpr auto kUnfit = std::to_array<Unfit>({
    {0x6969, "NFS"},
    {0x65735546, "FUSE"},
    {0x794c7630, "an overlay"},
    {0xff534d42, "CIFS"},
    {0xfe534d42, "SMB"},
    {0x0bd00bd0, "Lustre"},
    {0x47504653, "GPFS"},
    {0x19830326, "BeeGFS"},
    {0x00c36400, "Ceph"},
    {0x01021997, "9P"},
    {0x5346414f, "AFS"},
    {0x4d44, "FAT"},
    {0x2011bab0, "exFAT"},
    {0xf15f, "eCryptfs"},
});

Status check_file_system(int fd, const std::string& shown) {
  struct statfs fs {};
  if (::fstatfs(fd, &fs) != 0) return last_error(kLayer, shown);
  for (const Unfit& unfit : kUnfit) {
    if (static_cast<std::uint32_t>(fs.f_type) != unfit.magic) continue;
    return plain_error(kLayer, shown,
                       "it lies on " + std::string(unfit.name) + ", which cannot hold a layer",
                       "take a directory on a local disk, or " + option_text("overlay") + "=tmpfs");
  }
  return Done{};
}

}  // namespace

sandbox::Overlay plan_layer(const Layer& layer, const std::string& memory, const Caller& caller) {
  if (layer.directory.empty()) return {"", layer.size.empty() ? memory : layer.size};
  return {without_slash(absolute(layer.directory, caller)), ""};
}

Status check_layer(const sandbox::Plan& plan) {
  if (!plan.overlay || plan.root == sandbox::RootKind::image) return Done{};
  const std::string& root = plan.root_directory;
  for (const os::MountEntry& mount : TRY(os::list_mounts())) {
    if (mount.point == root || !is_below(mount.point, root)) continue;
    return plain_error(kLayer, root, "what is mounted at " + mount.point + " would not be seen",
                       "make single places of it writable: " + option_text("writable") + "=PATH");
  }
  return Done{};
}

Status open_layer(sandbox::Overlay& overlay) {
  const std::string& path = overlay.directory;
  if (path.empty()) return Done{};
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return last_error(kLayer, path);
  os::Fd fd = TRY(os::open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return last_error(kLayer, path);
  if (status.st_uid != ::geteuid()) return plain_error(kLayer, path, "it is not yours");
  if ((status.st_mode & 077) != 0) {
    return plain_error(kLayer, path, "others can enter it, and find setuid programs there",
                       "chmod 700 " + path);
  }
  TRY(check_file_system(fd.get(), path));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return last_error(kLayer, path);
    return plain_error(kLayer, path, "another run is using it",
                       "wait for that one, or give each run a directory of its own");
  }
  overlay.fd = fd.release();  // closed, and with it unlocked, when the run has ended
  return Done{};
}

}  // namespace rootlet
