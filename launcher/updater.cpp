// SPDX-License-Identifier: MIT
#include "launcher/updater.hpp"

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "launcher/fetch.hpp"
#include "launcher/file_digest.hpp"
#include "launcher/image_report.hpp"
#include "launcher/successor.hpp"
#include "launcher/work_directory.hpp"
#include "runtime/run/paths.hpp"
#include "trust/program.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kUpdate = "update";
constexpr std::string_view kStuck = "it asks and asks, and nothing new comes";

// The image as it is now, open, and nobody else updates it meanwhile.
struct Installed {
  std::string path;  // without symlinks
  os::Fd fd;
  struct stat status {};
};

Result<Installed> open_installed(const std::string& image) {
  Installed old;
  old.path = real_path(image);
  old.fd = TRY(os::open_at(AT_FDCWD, old.path, O_RDONLY | O_NONBLOCK));
  if (::fstat(old.fd.get(), &old.status) != 0) return last_error(kUpdate, image);
  if (!S_ISREG(old.status.st_mode)) return plain_error(kUpdate, image, "it is not a regular file");
  return old;
}

Result<UpdateSource> find_source(const UpdateRequest& request, const Installed& old) {
  if (!request.from.empty()) return open_update_source(request.from);
  const std::string text = read_update_text(old.fd.get(), old.path);
  auto source = open_update_source(packaging::read_update_information(text));
  if (source.ok() || source.error().subject != "the image") return source;
  Error error = std::move(source).error();
  error.subject = request.image;
  return error;
}

Result<UpdateState> compare(const Installed& old, const UpdateSource& source) {
  UpdateState state{true, source.header.length, source.from, {}};
  state.installed = TRY(sha1_of(old.fd.get(), old.path));
  state.newer = state.installed != source.header.sha1 ||
                static_cast<std::uint64_t>(old.status.st_size) != source.header.length;
  return state;
}

// Said before anything is fetched.
Status check_place(const Installed& old, const UpdateSource& source) {
  const std::string directory = directory_of(old.path);
  if (::access(directory.c_str(), W_OK) != 0) {
    return last_error("write to", directory, "the new file takes the old one's place in there");
  }
  struct statvfs room {};
  if (::statvfs(directory.c_str(), &room) != 0) return last_error("write to", directory);
  const std::uint64_t free = std::uint64_t{room.f_bavail} * room.f_frsize;
  if (free >= source.header.length) return Done{};
  return Error{ENOSPC,
               "write to",
               directory,
               "make room: the new file has " + std::to_string(source.header.length >> 20) +
                   " MiB, free are " + std::to_string(free >> 20),
               {}};
}

std::string last_words(const std::string& text) {
  std::string last;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of("\r\n", at), text.size());
    if (end > at) last = text.substr(at, end - at);
    at = end + 1;
  }
  return printable(last);
}

// What zsync has done so far: how far it is in the files that it reads, and when
// it last wrote a block. 0.6.2 may ask for the same parts for ever (data.md 0).
class Diligence {
 public:
  Diligence(std::string part, unsigned patience) : part_(std::move(part)), patience_(patience) {}

  bool operator()(pid_t zsync) {
    const std::uint64_t now = seconds();
    const std::uint64_t state = look(zsync);
    if (state != state_ || since_ == 0) since_ = now;
    state_ = state;
    return now - since_ > patience_;
  }

 private:
  static std::uint64_t seconds() {
    struct timespec now {};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) + 1;
  }

  // Any number that changes with each step.
  std::uint64_t look(pid_t zsync) const {
    std::uint64_t sum = 0;
    struct stat status {};
    if (::stat(part_.c_str(), &status) == 0) {
      sum = static_cast<std::uint64_t>(status.st_mtim.tv_sec) * 1'000'000'000 +
            static_cast<std::uint64_t>(status.st_mtim.tv_nsec);
    }
    for (int fd = 0; fd < 32; ++fd) {
      const std::string path = "/proc/" + std::to_string(zsync) + "/fdinfo/" + std::to_string(fd);
      const auto text = os::read_file(AT_FDCWD, path, 4096);
      if (!text.ok() || !text.value().starts_with("pos:")) continue;
      sum = sum * 31 + std::strtoull(text.value().c_str() + 4, nullptr, 10);
    }
    return sum;
  }

  std::string part_;
  unsigned patience_;
  std::uint64_t state_ = 0, since_ = 0;
};

// zsync(1): what the old file holds, or a new one that lies here, is taken from
// there; the rest is asked for in parts.
Status run_zsync(const UpdateRequest& request, const Installed& old, const UpdateSource& source,
                 const std::string& directory) {
  trust::Program zsync;
  zsync.path = TRY(trust::find_program("zsync", "zsync"));
  zsync.directory = directory;
  zsync.shared = {source.control.get(), old.fd.get()};
  zsync.largest = source.header.length + (1 << 20);
  zsync.shows_progress = request.show;
  zsync.arguments = {"-i", os::fd_path(old.fd.get()), "-o", "new"};
  if (!request.show) zsync.arguments.insert(zsync.arguments.begin(), "-q");
  if (source.is_local()) {
    zsync.arguments.insert(zsync.arguments.end(), {"-i", real_path(source.target)});
  } else {
    zsync.arguments.insert(zsync.arguments.end(), {"-u", source.from});
  }
  zsync.arguments.push_back(os::fd_path(source.control.get()));
  zsync.is_stuck = Diligence(directory + "/new.part", request.patience);
  const trust::ProgramEnd end = TRY(trust::run_program(zsync));
  if (end.was_stuck) {
    return plain_error("fetch with zsync", source.target, std::string(kStuck),
                       "the old file is as it was");
  }
  struct stat made {};
  if (end.status == 0 && ::stat((directory + "/new").c_str(), &made) == 0) return Done{};
  const std::string words = last_words(end.err);
  return plain_error("fetch with zsync", source.target,
                     words.empty() ? "it ended with " + std::to_string(end.status) : words,
                     "the old file is as it was");
}

// zsync 0.6.2 knows no TLS, needs a server that sends parts, and knows some that it
// cannot talk to: then all of it. What it is, is checked in any case.
Status fetch_new(const UpdateRequest& request, const Installed& old, const UpdateSource& source,
                 const std::string& directory) {
  const std::string path = directory + "/new";
  if (!source.control.valid()) {  // an image that lies here
    Successor copy = TRY(Successor::copy_to(source.target, path));
    return copy.appear(0600);  // its standing will be the old file's, whoever owns this one
  }
  if (!source.target.starts_with("https://")) {
    auto done = run_zsync(request, old, source, directory);
    if (done.ok() || source.is_local()) return done;
    for (const char* left : {"/new", "/new.part"}) ::unlink((directory + left).c_str());
  }
  return fetch_file(source.target, path, source.header.length, request.show, request.patience);
}

Status check_content(int fd, const UpdateSource& source) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return last_error(kUpdate, source.target);
  const std::string sha1 = TRY(sha1_of(fd, source.target));
  if (sha1 == source.header.sha1 &&
      static_cast<std::uint64_t>(status.st_size) == source.header.length) {
    return Done{};
  }
  return plain_error(kUpdate, source.target,
                     "it is not the file that " + source.from + " describes",
                     "the old file is as it was; try again later, or tell its maker");
}

// NAME.minisig of the server, where the old file has one beside it.
Status fetch_signature(const Installed& old, const UpdateSource& source,
                       const std::string& directory) {
  if (::access((old.path + ".minisig").c_str(), F_OK) != 0) return Done{};
  const auto text = fetch_text(source.target + ".minisig", 65536);
  if (!text.ok()) return Done{};  // then it is not signed, and the rules say so
  const os::Fd file =
      TRY(os::open_at(AT_FDCWD, directory + "/new.minisig", O_WRONLY | O_CREAT | O_EXCL, 0644));
  return os::write_all(file.get(), text.value(), kUpdate, "new.minisig");
}

Status sync_directory(const std::string& path) {
  const os::Fd directory = TRY(os::open_at(AT_FDCWD, directory_of(path), O_RDONLY | O_DIRECTORY));
  ::fsync(directory.get());  // some filesystems cannot; the rename stands all the same
  return Done{};
}

// From here on it is the new file.
Status install(const UpdateRequest& request, const Installed& old, int fresh,
               const std::string& directory) {
  TRY(copy_standing(old.fd.get(), fresh, old.path));
  if (::fsync(fresh) != 0) return last_error(kUpdate, old.path);
  struct stat now {};
  if (::stat(old.path.c_str(), &now) != 0 || now.st_ino != old.status.st_ino ||
      now.st_dev != old.status.st_dev) {
    return plain_error(kUpdate, request.image, "another file has its name by now", "try again");
  }
  if (request.backup) {
    const std::string kept = old.path + ".zs-old";
    ::unlink(kept.c_str());
    if (::link(old.path.c_str(), kept.c_str()) != 0) return last_error("keep the old file", kept);
  }
  if (::rename((directory + "/new").c_str(), old.path.c_str()) != 0) {
    return last_error(kUpdate, old.path);
  }
  ::rename((directory + "/new.minisig").c_str(), (old.path + ".minisig").c_str());
  return sync_directory(old.path);
}

}  // namespace

Result<UpdateState> look_for_update(const UpdateRequest& request) {
  const Installed old = TRY(open_installed(request.image));
  const UpdateSource source = TRY(find_source(request, old));
  return compare(old, source);
}

Result<Updated> update_image(const UpdateRequest& request) {
  const Installed old = TRY(open_installed(request.image));
  if (::flock(old.fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return plain_error(kUpdate, request.image, "another update of it goes on");
  }
  const UpdateSource source = TRY(find_source(request, old));
  Updated updated{TRY(compare(old, source)), {}};
  if (!updated.state.newer) return updated;
  TRY(check_place(old, source));
  const WorkDirectory work = TRY(WorkDirectory::beside(old.path));
  TRY(fetch_new(request, old, source, work.path()));
  const os::Fd fresh =
      TRY(os::open_at(AT_FDCWD, work.path() + "/new", O_RDWR | O_NOFOLLOW | O_NONBLOCK));
  TRY(check_content(fresh.get(), source));
  TRY(fetch_signature(old, source, work.path()));
  updated.notes = TRY(judge_update({old.fd.get(), request.image, {old.path + ".minisig"}},
                                   {fresh.get(), source.target, {work.path() + "/new.minisig"}},
                                   request.rules));
  TRY(install(request, old, fresh.get(), work.path()));
  return updated;
}

}  // namespace rootlet
