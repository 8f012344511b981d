// SPDX-License-Identifier: MIT
#include "runtime/run/record_file.hpp"

#include <sys/stat.h>

#include "runtime/base/text.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kRecord = "record the run";
constexpr std::string_view kBegin = "{\"record\":";

// Nobody loses a file by naming the wrong one.
Status refuse_other_files(int directory, const std::string& name, const std::string& path) {
  const os::Fd fd(::openat(directory, name.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd.valid() && errno == ENOENT) return Done{};
  if (!fd.valid()) return last_error(kRecord, path);
  char first[16];
  const ssize_t got = ::pread(fd.get(), first, sizeof first, 0);
  const std::string_view text(first, got > 0 ? static_cast<std::size_t>(got) : 0);
  if (got == 0 || text.starts_with(kBegin)) return Done{};
  return plain_error(kRecord, path, "it is there already, and is no record", "choose another name");
}

}  // namespace

Status RecordFile::open(const std::string& where, const std::string& fresh,
                        const std::string& home) {
  path_ = where.starts_with("~/") ? join({home, where.substr(1)}) : where;
  if (path_.back() == '/') (void)::mkdir(path_.c_str(), 0777);
  const os::Fd found(::open(path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (found.valid()) path_ = join({path_, "/", fresh});
  const std::size_t slash = path_.rfind('/') + 1;  // 0: there is none
  name_ = path_.substr(slash);
  const std::string directory = slash == 0 ? "." : path_.substr(0, slash);
  os::Fd opened(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!opened.valid()) return last_error(kRecord, directory);
  TRY(refuse_other_files(opened.get(), name_, path_));
  directory_ = std::move(opened);
  return Done{};
}

// Without a name until it is whole, where the file system can (O_TMPFILE,
// open(2)): one that is killed leaves nothing.
Status RecordFile::write(const std::string& text) const {
  const int directory = directory_.get();
  const std::string draft = join({".", name_, ".", digits(static_cast<unsigned long>(::getpid()))});
  os::Fd fd(::openat(directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666));
  const bool nameless = fd.valid();
  if (!nameless) {
    const int how = O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC;
    fd = os::Fd(::openat(directory, draft.c_str(), how, 0666));
  }
  if (!fd.valid()) return last_error(kRecord, path_);
  auto done = os::write_all(fd.get(), text, kRecord, path_);
  const auto link_to = [&](const std::string& name) {
    return ::linkat(AT_FDCWD, os::fd_path(fd.get()).c_str(), directory, name.c_str(),
                    AT_SYMLINK_FOLLOW) == 0;
  };
  if (done.ok() && nameless && link_to(name_)) return Done{};
  if (done.ok() && ((nameless && !link_to(draft)) ||
                    ::renameat(directory, draft.c_str(), directory, name_.c_str()) != 0)) {
    done = last_error(kRecord, path_);
  }
  if (!done.ok() && !(nameless && errno == EEXIST)) ::unlinkat(directory, draft.c_str(), 0);
  return done;
}

}  // namespace rootlet
