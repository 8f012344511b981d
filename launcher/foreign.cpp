// SPDX-License-Identifier: MIT
#include "launcher/foreign.hpp"

#include <unistd.h>

#include <array>

#include "launcher/unpack.hpp"
#include "runtime/run/extracted.hpp"
#include "runtime/run/judged_source.hpp"
#include "runtime/run/paths.hpp"

namespace rootlet {
namespace {

// In the run's private /run, so nothing of the host is in its place.
constexpr const char* kAppDir = "/run/appimage";

constexpr std::array kSignsOfARoot = {"bin/sh",
                                      "bin/busybox",
                                      "usr/bin/sh",
                                      "usr/bin/dash",
                                      "usr/bin/bash",
                                      "lib64/ld-linux-x86-64.so.2",
                                      "usr/lib64/ld-linux-x86-64.so.2",
                                      "lib/ld-linux-aarch64.so.1",
                                      "usr/lib/ld-linux-aarch64.so.1",
                                      "lib/ld-musl-x86_64.so.1",
                                      "lib/ld-musl-aarch64.so.1"};

}  // namespace

bool expects_the_host(Source& image) {
  if (!image.image || image.image->has_entry(std::string(kPolicyPath))) return false;
  for (const char* path : kSignsOfARoot) {
    if (image.image->has_entry(path)) return false;
  }
  return image.image->has_entry("AppRun");
}

void run_on_the_host(Options& options, const Source& image, const std::string& text) {
  options.attachments.push_back({text, kAppDir, true});
  options.appimage = image.file;
  options.appdir = kAppDir;
  if (!options.exec && !options.shell) options.exec = std::string(kAppDir) + "/AppRun";
}

Result<std::optional<PrivateDirectory>> unpack_type_1(const std::string& text, const Log& log) {
  // Whatever cannot be opened is told by who opens it for the run.
  auto located = open_location(text);
  if (!located.ok()) return std::optional<PrivateDirectory>();
  const auto part = locate_part(located.value().fd.get(), text);
  if (!part.ok() || !is_iso_image(part.value().fd, part.value().offset)) {
    return std::optional<PrivateDirectory>();
  }
  const ImageFile image = TRY(open_image_file(text));
  log.say([&] { return "unpacking " + text + ", a " + std::string(format_name(image.format)); });
  auto unpacked = unpack_to_directory(
      [&](int directory) -> Status {
        auto made = unpack_iso(image, {}, directory);
        if (!made.ok()) return made.error();
        return Done{};
      },
      log);
  if (!unpacked.ok()) return unpacked.error();
  return std::optional(std::move(unpacked).value());
}

bool run_unpacked_on_the_host(Options& options, const PrivateDirectory& directory,
                              const std::string& text) {
  const std::string root = directory.path() + "/root";
  for (const char* path : kSignsOfARoot) {
    if (::faccessat(AT_FDCWD, (root + "/" + path).c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
      return false;
    }
  }
  options.binds.push_back({root, kAppDir, false});
  options.appimage = real_path(location_file(text));
  options.appdir = kAppDir;
  if (!options.exec && !options.shell) options.exec = std::string(kAppDir) + "/AppRun";
  return true;
}

}  // namespace rootlet
