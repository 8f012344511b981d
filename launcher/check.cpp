// SPDX-License-Identifier: MIT
#include <cstdio>

#include "launcher/command_line.hpp"
#include "launcher/image_check.hpp"
#include "launcher/lzo.hpp"
#include "launcher/verbs.hpp"

namespace rootlet {

int check_verb(int argc, char** argv) {
  std::string file;
  CheckRequest request;
  bool json = false;
  CLI::App app(
      "Is a file what was packed, can its programs start, does it pass its test?\n"
      "Exit status: 0 yes, 1 no, 125 it could not be told.",
      "rootlet check");
  app.add_option("FILE", file, "an AppImage, a squashfs, JAR!/NAME, a jar or a release")
      ->required();
  app.add_option("--data-path", request.data_paths, "look there for an image's base and data")
      ->allow_extra_args(false);
  app.add_flag("!--no-selftest", request.self_test, "do not run the policy's self-test");
  app.add_flag("!--no-content", request.content, "do not read every byte");
  app.add_option("--selftest-timeout", request.seconds, "seconds that it may take [60]")
      ->check(CLI::Range(1, 86400));
  app.add_flag("--json", json, "as JSON");
  app.footer(
      "Examples:\n  rootlet check hmmer.AppImage\n  rootlet check app.jar --json\n\n"
      "Warnings tell what the image lacks and what to add; they do not fail it.\n");
  if (const auto status = parse_arguments(app, argc, argv)) return *status;
  add_lzo_images();
  const auto images = check_file(file, request);
  if (!images.ok()) {
    print_error(images.error());
    return images.error().exit_code;
  }
  const std::string text =
      json ? checks_as_json(file, images.value()) : checks_as_text(images.value());
  std::fputs(text.c_str(), stdout);
  return verdict(images.value());
}

}  // namespace rootlet
