// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/sandbox/plan.hpp"

namespace rootlet::sandbox {

// The new root while it is being built: mounted, not yet entered.
//
// Targets are found by descriptor and inside the root (openat2(2) with
// RESOLVE_IN_ROOT, Linux 5.6; a walk of our own before), so no symlink of the
// image leads out. A target that the image lacks is made without touching the
// image: the deepest existing directory on the way is covered.
class Root {
 public:
  explicit Root(os::Fd mounted) : root_(std::move(mounted)) {}

  int fd() const { return root_.get(); }

  // Makes sure that `path` exists. As a directory, or as a file.
  Status make(const std::string& path, bool directory);

  // Shows things at paths. Sources are descriptors opened beforehand.
  Status bind(int source, const std::string& target, bool directory, bool writable);
  Status tmpfs(const std::string& target, unsigned mode, const std::string& size, bool read_only);
  Status mount(const char* type, const std::string& target, unsigned long flags,
               const std::string& options);

  // The object at `path`, as it is now.
  Result<os::Fd> open(const std::string& path, int flags = O_PATH) const;
  // Some entry other than "." and ".." is in the directory.
  bool has_entries(const std::string& path) const;

  // Covers made on the way become read-only, then the root is entered and the
  // host's is gone (pivot_root(2); never chroot, which a tool can leave).
  Status enter() &&;

 private:
  Status cover(const std::string& directory);
  Status cover_with_overlay(int directory, const std::string& path);
  Status cover_with_binds(int directory, const std::string& path);
  Result<os::Fd> cover_with_tmpfs(int directory, const std::string& path);
  bool is_ours(int directory) const;
  Status check_entered() const;

  os::Fd root_;
  int layers_ = 1;  // mounts on "/" of this namespace: the image, and what covers it
  std::vector<dev_t> our_devices_;   // file systems of covers and scratch places
  std::vector<std::string> covers_;  // made read-only at the end
};

}  // namespace rootlet::sandbox
