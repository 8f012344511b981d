// SPDX-License-Identifier: MIT
#include <unistd.h>

#include "launcher/command_line.hpp"
#include "launcher/image_file.hpp"
#include "launcher/verbs.hpp"

namespace rootlet {
namespace {

Status print_files(const std::string& name, const std::vector<std::string>& paths) {
  const ImageFile image = TRY(open_image_file(name));
  Question question = image.question("read", paths);
  question.most_bytes = 0;  // it goes to whoever reads our output, not into memory
  Examination examination = TRY(Examination::start(std::move(question)));
  while (const auto frame = TRY(examination.next())) {
    if (frame->tag != Tag::content) {
      return plain_error("read the image", name, "what its reader says makes no sense");
    }
    TRY(os::write_all(STDOUT_FILENO, frame->body, "write", "standard output"));
  }
  return Done{};
}

}  // namespace

int cat_verb(int argc, char** argv) {
  std::string image;
  std::vector<std::string> paths;
  CLI::App app("Prints files of an image, without running any of it.", "rootlet cat");
  app.add_option("IMAGE", image, "an AppImage, ours or not, a squashfs, or JAR!/ENTRY")->required();
  app.add_option("PATH", paths, "files of the image; symlinks are followed inside of it")
      ->required();
  app.footer(
      "Examples:\n  rootlet cat tool.AppImage .rootlet/policy.toml\n"
      "  rootlet cat tool.AppImage .DirIcon > icon.png\n");
  if (const auto status = parse_arguments(app, argc, argv)) return *status;
  const Status done = print_files(image, paths);
  if (done.ok()) return 0;
  print_error(done.error());
  return 125;
}

}  // namespace rootlet
