// SPDX-License-Identifier: MIT
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "launcher/command_line.hpp"
#include "launcher/registration.hpp"
#include "launcher/shown_text.hpp"
#include "launcher/verbs.hpp"
#include "launcher/xdg_home.hpp"

namespace rootlet {
namespace {

void say(const std::string& text) {
  (void)os::write_all(STDERR_FILENO, "rootlet: " + shown_text(text) + "\n", "print");
}

// Who can read it can run it: a desktop hides entries whose program cannot be run.
Status make_executable(const ImageFile& image, const std::string& path, bool quiet) {
  struct stat status {};
  if (::fstat(image.fd.get(), &status) != 0) return last_error("install", path);
  if (::access(path.c_str(), X_OK) == 0 && (status.st_mode & 0111) != 0) return Done{};
  const mode_t mode = (status.st_mode & 07777) | 0100 | ((status.st_mode & 0044) >> 2);
  if (::fchmod(image.fd.get(), mode) != 0) {
    return last_error("make the file executable", path, "chmod +x it, or copy it to your home");
  }
  if (!quiet) say("it is executable now: " + path);
  return Done{};
}

Status install_one(const std::string& name, const RegistrationOptions& options, bool quiet) {
  const ImageFile image = TRY(open_image_file(name));
  if (!image.whole ||
      (image.format != ImageFormat::type_1 && image.format != ImageFormat::type_2)) {
    return plain_error(
        "install", name,
        "a desktop can start AppImages only, and this is: " +
            std::string(image.whole ? format_name(image.format) : "a part of another file"),
        "`rootlet build` makes an AppImage of a tree");
  }
  const std::string path = std::filesystem::absolute(name).lexically_normal();
  ImageResources found = TRY(read_resources(image, Depth::content));
  if (const std::string why = found.fact("libappimage.error"); !why.empty()) {
    return plain_error("install", name, "libappimage cannot read it: " + why,
                       "the file is damaged or built to do harm; do not run it");
  }
  if (found.fact("libappimage.format").empty()) {
    return plain_error("install", name, "this kernel has no Landlock, so libappimage is not asked",
                       "Linux 5.13 and later have it: lsm=landlock,... on its command line");
  }
  Registration made = TRY(make_registration(image, path, std::move(found), options));
  XdgHome home = TRY(XdgHome::open(true));
  Status done = make_executable(image, path, quiet);
  // The desktop entry, which is the last, makes the rest count.
  for (std::size_t i = 0; done.ok() && i < made.files.size(); ++i) done = home.put(made.files[i]);
  if (!done.ok()) {
    home.remove(made.id, {});
    home.remove_thumbnails(path);
    home.tidy();
    return done;
  }
  home.remove(made.id, made.files);  // of an older version
  const auto missing = home.refresh();
  if (quiet) return Done{};
  for (const std::string& note : made.notes) say("left out: " + note);
  for (const std::string& tool : missing) say(tool + " is not here: MIME types are known later");
  std::printf("installed %s: %s/%s\n", shown_text(made.name).c_str(), home.data().c_str(),
              made.files.back().path.c_str());
  return Done{};
}

}  // namespace

int install_verb(int argc, char** argv) {
  std::vector<std::string> images;
  RegistrationOptions options;
  bool quiet = false;
  CLI::App app("Shows AppImages in your menus: desktop entry, icons, MIME types, thumbnails.",
               "rootlet install");
  app.add_option("IMAGE", images, "an AppImage, ours or not, type 1 or 2")->required();
  app.add_flag("--force", options.force, "though its maker asks not to be integrated");
  app.add_flag("-q,--quiet", quiet, "say nothing when all went well");
  app.footer(
      "Examples:\n  rootlet install ~/Applications/viewer.AppImage\n"
      "  rootlet list\n  rootlet uninstall ~/Applications/viewer.AppImage\n"
      "The file stays where it is. Installing again brings all up to date.\n");
  if (const auto status = parse_arguments(app, argc, argv)) return *status;
  int worst = 0;
  for (const std::string& image : images) {
    const Status done = install_one(image, options, quiet);
    if (done.ok()) continue;
    print_error(done.error());
    worst = 125;
  }
  return worst;
}

}  // namespace rootlet
