// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/image/server.hpp"

namespace rootlet::image {

// How init gets at an image; one of these is set, beside the name.
struct Reached {
  std::string name;            // for messages
  int server = -1;             // the channel of its private server
  int shared = -1;             // the mount that a shared server gave, to be attached once
  int kernel = -1;             // the kernel's own mount, to be attached once
  Squashfs* unpack = nullptr;  // to be unpacked into memory
  std::string directory;       // a directory with its content
  bool writable = false;       // that directory, which is no image then
};

// Mounts the image on `target`, a path, without fusermount (FUSE in user
// namespaces: Linux 4.18, kernel commit 4ad769f3c346). /dev/fuse is opened here
// because the kernel wants it opened in the user namespace of the mount. A mount
// that is there already is attached.
Status mount_image(const Reached& image, const std::string& target, Owner owner);

// What is left to do once the mount can be opened: `mounted` is its top. `set_id`:
// a directory's set-id programs mean something.
Status complete_image(const Reached& image, int mounted, bool set_id);

// The steps of a served one. Without allow_other no other user, root included,
// can be stalled by the mount; with it (where the owner is among others) those
// of its user namespace and below (kernel commit 73f03c2b4b52).
// default_permissions: modes count, owners are the
// caller's own.
Result<os::Fd> open_fuse();
Status mount_fuse(int fuse, const std::string& target, Owner owner);

// True when /dev/fuse is there and may be opened.
bool have_fuse();

}  // namespace rootlet::image
