// SPDX-License-Identifier: MIT
#include "launcher/foreign.hpp"

#include <array>

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
  options.attachments.push_back({text, kAppDir});
  options.appimage = image.file;
  options.appdir = kAppDir;
  if (!options.exec && !options.shell) options.exec = std::string(kAppDir) + "/AppRun";
}

}  // namespace rootlet
