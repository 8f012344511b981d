// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "examiner/patterns.hpp"
#include "launcher/command_line.hpp"
#include "launcher/lzo.hpp"
#include "launcher/unpack.hpp"
#include "launcher/verbs.hpp"
#include "runtime/image/extract.hpp"
#include "runtime/os/landlock.hpp"
#include "runtime/os/process.hpp"
#include "runtime/run/private_directory.hpp"

namespace rootlet {
namespace {

constexpr std::string_view kUnpack = "unpack the image";

bool is_empty(int directory) {
  DIR* listing = ::fdopendir(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (listing == nullptr) return false;
  std::size_t names = 0;
  while (::readdir(listing) != nullptr) ++names;
  ::closedir(listing);
  return names <= 2;
}

// Where the image goes: a new directory, or an empty one.
struct Target {
  std::string path;
  os::Fd fd;
  bool made = false;
};

Result<Target> open_target(const std::string& path) {
  Target target;
  target.path = path;
  target.made = ::mkdir(path.c_str(), 0755) == 0;
  if (!target.made && errno != EEXIST) return last_error(kUnpack, path);
  auto opened = os::open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!opened.ok()) {
    return plain_error(kUnpack, path, "it is there, and no directory",
                       "name a new directory: -C DIR");
  }
  target.fd = std::move(opened).value();
  if (!target.made && !is_empty(target.fd.get())) {
    return plain_error(kUnpack, path, "it is not empty", "name a new directory: -C DIR");
  }
  return target;
}

// Removes directories that nothing wanted lies in; how many names are left.
std::size_t prune(int directory, const std::string& path,
                  const std::vector<std::string>& patterns) {
  DIR* listing = ::fdopendir(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (listing == nullptr) return 1;
  std::size_t left = 0;
  while (const dirent* entry = ::readdir(listing)) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    const std::string below = path.empty() ? name : path + "/" + name;
    const os::Fd inner(
        ::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!inner.valid() || prune(inner.get(), below, patterns) > 0 || is_wanted(patterns, below)) {
      ++left;
      continue;
    }
    ::unlinkat(directory, name.c_str(), AT_REMOVEDIR);
  }
  ::closedir(listing);
  return left;
}

Status extract_squashfs(const ImageFile& file, const std::vector<std::string>& patterns,
                        int directory) {
  add_lzo_images();
  image::Squashfs image =
      TRY(image::Squashfs::open({file.fd.get(), file.offset, file.length}, file.name));
  image::Wanted wanted;
  if (!patterns.empty()) {
    wanted = [&](const std::string& path) { return is_wanted(patterns, path); };
  }
  return image::extract_all(image, directory, wanted);
}

// By our own reader and several threads, in a process that can change nothing
// but this directory. It prints its own error.
Status extract_confined(const ImageFile& file, const std::vector<std::string>& patterns,
                        int directory) {
  const pid_t child = ::fork();
  if (child < 0) return last_error(kUnpack, file.name);
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    // The first version cannot allow a link from one directory to another.
    Status done = os::landlock_version() >= 2 ? os::leave_files({{~std::uint64_t{0}, directory}})
                                              : Status(Done{});
    if (done.ok()) done = extract_squashfs(file, patterns, directory);
    if (!done.ok()) print_error(done.error());
    ::_exit(done.ok() ? 0 : 125);
  }
  const int status = os::wait_for(child);
  if (WIFSIGNALED(status)) {
    return plain_error(kUnpack, file.name,
                       std::string("its reader died of ") + ::strsignal(WTERMSIG(status)),
                       "the file is damaged or built to do harm; do not run it");
  }
  if (status != 0) return Error{0, "", "", "", "", 125};  // said already
  return Done{};
}

Status extract_image(const std::string& name, const std::vector<std::string>& patterns,
                     const std::string& directory) {
  const ImageFile file = TRY(open_image_file(name));
  const Target target = TRY(open_target(directory));
  Status done = Done{};
  if (file.is_iso()) {
    const auto made = unpack_iso(file, patterns, target.fd.get());
    if (!made.ok()) done = made.error();
  } else {
    done = extract_confined(file, patterns, target.fd.get());
  }
  if (done.ok() && !patterns.empty() && prune(target.fd.get(), "", patterns) == 0) {
    done = plain_error(kUnpack, name, "nothing in it matches " + patterns[0],
                       "`rootlet ls -R IMAGE` lists what is there");
  }
  // What is there in part is of no use.
  if (!done.ok() && target.made) remove_tree(AT_FDCWD, directory);
  return done;
}

}  // namespace

int extract_verb(int argc, char** argv) {
  std::string image, directory = "squashfs-root";
  std::vector<std::string> patterns;
  CLI::App app("Unpacks an image, without running any of it.", "rootlet extract");
  app.add_option("IMAGE", image, "an AppImage, ours or not, a squashfs, or JAR!/ENTRY")->required();
  app.add_option("PATTERN", patterns, "only what matches, or lies below it; * is anything");
  app.add_option("-C,--directory", directory, "a new or empty directory (squashfs-root)");
  app.footer(
      "Examples:\n  rootlet extract tool.AppImage\n"
      "  rootlet extract tool.AppImage usr/share/doc '*.desktop' -C docs\n"
      "Kept: modes, times, links, holes. Left out: set-id bits, owners, device nodes.\n");
  if (const auto status = parse_arguments(app, argc, argv)) return *status;
  const Status done = extract_image(image, patterns, directory);
  if (done.ok()) return 0;
  if (!done.error().action.empty()) print_error(done.error());
  return 125;
}

}  // namespace rootlet
