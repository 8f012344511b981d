// SPDX-License-Identifier: MIT
#include "packaging/scratch.hpp"

#include <time.h>

#include <cstdlib>

namespace rootlet::packaging {
namespace {

std::string scratch_base() {
  const char* directory = std::getenv("TMPDIR");
  return directory != nullptr && *directory == '/' ? directory : "/var/tmp";
}

// What was started by us may have been killed only just now, and still make a
// file while we remove: so until it is gone, for some seconds.
void remove_patiently(const std::string& path) {
  for (int tries = 0; tries < 50; ++tries) {
    remove_tree(AT_FDCWD, path);
    if (::access(path.c_str(), F_OK) != 0) return;
    const timespec wait{0, 100'000'000};
    ::nanosleep(&wait, nullptr);
  }
}

}  // namespace

Result<os::Fd> open_scratch_file() {
  const std::string directory = scratch_base();
  int fd = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return os::Fd(fd);
  std::string name = directory + "/rootlet-XXXXXX";
  fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) {
    return last_error("create a scratch file", directory,
                      "set TMPDIR to a directory you may write");
  }
  ::unlink(name.c_str());
  return os::Fd(fd);
}

Result<std::shared_ptr<ScratchDirectory>> ScratchDirectory::make() {
  auto made = PrivateDirectory::make(scratch_base(), "make a scratch directory", true);
  if (!made.ok()) {
    Error error = made.error();
    error.hint = "set TMPDIR to a directory with room, where programs may be executed";
    return error;
  }
  auto scratch = std::make_shared<ScratchDirectory>(std::move(made).value());
  PrivateDirectory* directory = &scratch->directory_;
  scratch->janitor_ = TRY(Janitor::watch([directory] {
    remove_patiently(directory->path());
    directory->~PrivateDirectory();  // its lock, and the directory of all such
  }));
  return scratch;
}

}  // namespace rootlet::packaging
