// SPDX-License-Identifier: MIT
#pragma once

#include <sys/mount.h>

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/sandbox/plan.hpp"

namespace rootlet::sandbox {

constexpr unsigned long kTmpfsFlags = MS_NOSUID | MS_NODEV;

// A path that something will be shown at.
struct Target {
  std::string path;
  bool directory = true;
};

// The new root while it is being built: mounted, not yet entered.
//
// Targets are found by descriptor and inside the root (openat2(2) with
// RESOLVE_IN_ROOT, Linux 5.6; a walk of our own before), so no symlink of the
// image leads out. A target that the image lacks is made without touching the
// image: the deepest existing directory on the way is covered.
class Root {
 public:
  // `memory`: the size of all scratch places together, as tmpfs(5) takes it.
  // `live`: a directory of the host, in which other things may be mounted and
  // written. Covers then show each entry itself, not a layer over all of them.
  Root(os::Fd mounted, std::string memory, bool live)
      : root_(std::move(mounted)), live_(live), memory_(std::move(memory)) {}

  int fd() const { return root_.get(); }

  // Asks for all names of the top directory at once: one question to the
  // image server instead of one for each place and for each of the tool's
  // first look-ups (READDIRPLUS fills the kernel's name cache).
  void look_around() const;

  // Makes sure that `path` exists, as a directory or as a file; it is opened.
  Result<os::Fd> make(const std::string& path, bool directory);
  // The same for many, in an order in which no cover hides another.
  Status make_all(const std::vector<Target>& targets);

  // One of them is made in /dev, where the image's symlinks lead.
  bool leads_to_dev() const { return leads_to_dev_; }

  // An image over a base: the root becomes what both show together, the base
  // below. Nothing else is shown yet.
  Status lay_on(int base);
  // A writable layer over all of it; nothing else is shown yet. What is missing
  // is made in the layer then.
  Status lay_over(const Overlay& overlay);

  // From here on host directories are shown in it. They are not covered for
  // what they lack: new names would vanish from a writable one, and nothing is
  // made on the host.
  void stop_covering() { bare_ = false; }
  // Except for the mount at `path`: an image, whose directories may be covered.
  Status allow_covering(const std::string& path);
  // And for one that is the run's own: what is missing is made in it.
  Status allow_making(const std::string& path);

  // Shows things at paths. Sources are descriptors opened beforehand.
  Status bind(int source, const std::string& target, bool directory, bool writable,
              bool devices = false);
  // A part of what is shown at `target` stays as it is.
  Status guard(const std::string& target, const Guard& guard);
  // An empty directory of the run's own memory; `read_only` once the root is entered.
  Status scratch(const std::string& target, unsigned mode, bool read_only);
  // What lies at `target` becomes writable, its changes in the run's memory: a
  // directory with all that is in it, a file, or an empty directory.
  Status make_writable(const std::string& target);
  // A small read-only file with this content.
  Status text(const std::string& target, const std::string& content);
  // The socket or directory at `target`, if there is one, is out of reach.
  Status hide(const std::string& target);
  Status mount(const char* type, const std::string& target, unsigned long flags,
               const std::string& options);

  // The object at `path`, as it is now.
  Result<os::Fd> open(const std::string& path, int flags = O_PATH) const;
  bool is_file(const std::string& path) const;
  // Some entry other than "." and ".." is in the directory.
  bool has_entries(const std::string& path) const;

  // Something of a host's file system `device` may show in it.
  bool may_show(dev_t device) const;

  // Covers made on the way become read-only, then the root is entered and the
  // host's is gone (pivot_root(2); never chroot, which a tool can leave).
  Status enter() &&;

 private:
  Status lay(const std::string& layers, const std::string& shown);
  bool parent_is_empty(const std::string& path) const;
  // What is at `path`, if anything; of the wrong kind is an error.
  Result<os::Fd> existing(const std::string& path, bool directory) const;
  bool may_cover(int directory) const;
  Status copy_file(const std::string& target);
  Status cover(const std::string& directory);
  Result<os::Fd> scratch_directory(unsigned mode);
  Result<os::Fd> overlay_on(int directory, const std::string& path);
  Status cover_with_overlay(int directory, const std::string& path);
  Status cover_with_binds(int directory, const std::string& path);
  Result<os::Fd> cover_with_scratch(int directory, const std::string& path);
  Result<os::Fd> cover_top();
  Status seal_later(const std::string& path);
  bool is_ours(int directory) const;
  Status check_entered() const;

  os::Fd root_;
  bool live_;
  bool bare_ = true;  // nothing of the host is shown yet
  int layers_ = 1;    // mounts on "/" of this namespace: the image, and what covers it
  // One tmpfs for all scratch places and covers: a mount of a part of it costs
  // less to make and to end than a file system of its own, and its size bounds
  // them together.
  std::string memory_;
  os::Fd scratch_;
  bool making_scratch_ = false;
  bool leads_to_dev_ = false;
  int scratch_count_ = 0;
  std::vector<dev_t> our_devices_;  // file systems that are ours to write to
  // Made read-only at the end, by their descriptors: by then something else may
  // be mounted at the path.
  std::vector<std::pair<std::string, os::Fd>> covers_;
  std::vector<std::uint64_t> our_mounts_;  // the same, by the number of the mount
  std::vector<std::uint64_t> attached_;    // mounts of images, by their number
  std::vector<dev_t> bound_devices_;       // file systems of what is bound
  bool bound_mounts_below_ = false;        // a bind has brought more mounts than its own
};

}  // namespace rootlet::sandbox
