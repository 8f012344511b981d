// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <cstdio>

#include "launcher/command_line.hpp"
#include "launcher/verbs.hpp"
#include "packaging/assemble.hpp"

namespace rootlet {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  rootlet build ./rootfs --entry /usr/bin/hmmsearch -o hmmsearch.AppImage\n"
    "  docker export CONTAINER > tool.tar; rootlet build tool.tar --entry tool\n"
    "  rootlet build Tool.AppDir                 its own AppRun is the entry\n"
    "  rootlet build ./rootfs --policy rootlet.toml\n"
    "\n"
    "Nothing of SOURCE is changed and no root is needed. Symlinks are packed as they\n"
    "are. Of a directory, files of your own appear as root's; of a tar, owners, modes,\n"
    "hard links and devices are kept. Of extended attributes only user.* are kept.\n"
    "The same input gives the same bytes; SOURCE_DATE_EPOCH sets the time stamp.\n"
    "An existing FILE is replaced when it is a program or empty.\n";

void declare(CLI::App& app, packaging::BuildRequest& request, bool& no_check, bool& quiet) {
  app.add_option("SOURCE", request.source,
                 "a directory, an AppDir or a tar; dir:, appdir: or tar: in front forces it")
      ->required();
  app.add_option("-o,--output", request.output, "the file to write [NAME-ARCH.AppImage]");
  const char* tool = "The tool";
  app.add_option("--entry", request.entry, "the program to run: a path inside, or a name in PATH")
      ->group(tool);
  app.add_option("--policy", request.policy_file, "rootlet.toml: entry, commands, isolation, data")
      ->group(tool);
  app.add_option("--name", request.name, "the tool's name [the entry's]")->group(tool);
  app.add_option("--tool-version,--version-string", request.version, "the tool's version")
      ->group(tool);
  const char* image = "The image";
  app.add_option("--comp-level", request.level, "of zstd, 1 to 22 [15]")
      ->check(CLI::Range(1, 22))
      ->group(image);
  app.add_option("--block-size", request.block_size, "4K to 1M, a power of two [128K]")
      ->transform(CLI::AsSizeValue(false))
      ->group(image);
  app.add_option("--threads", request.threads, "to compress with [one per processor]")
      ->check(CLI::Range(1, 1024))
      ->group(image);
  app.add_option("--update-information", request.update_information,
                 "where newer versions are found, as AppImageUpdate reads it")
      ->group(image);
  app.add_option("--stub", request.stub, "the program in front [rootlet-stub]")->group(image);
  app.add_option("--apprun", request.apprun, "the image's AppRun [rootlet-apprun]")->group(image);
  const char* how = "How";
  app.add_flag("--no-check", no_check, "pack even what cannot start")->group(how);
  app.add_flag("--force", request.force, "replace FILE whatever it is")->group(how);
  app.add_flag("-q,--quiet", quiet, "no progress and no summary")->group(how);
}

// One line that is written anew, on a terminal only.
void show_progress(std::uint64_t done, std::uint64_t total) {
  static unsigned shown = 101;
  const auto percent = static_cast<unsigned>(total == 0 ? 100 : done * 100 / total);
  if (percent == shown) return;
  shown = percent;
  std::fprintf(stderr, "\rpacking %3u %%  (%llu of %llu MiB)", percent,
               static_cast<unsigned long long>(done >> 20),
               static_cast<unsigned long long>(total >> 20));
}

void clear_progress() { std::fputs("\r\033[K", stderr); }

void print_summary(const packaging::BuildSummary& summary) {
  if (!summary.note.empty()) std::fprintf(stderr, "note: %s\n", summary.note.c_str());
  const auto mib = [](std::uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); };
  const double ratio =
      summary.content == 0 ? 100.0 : 100.0 * mib(summary.image) / mib(summary.content);
  std::printf("%s: %.1f MiB: %u entries of %.1f MiB, packed to %.0f %%, entry %s\n",
              summary.output.c_str(), mib(summary.stub + summary.image), summary.entries,
              mib(summary.content), ratio, summary.entry.c_str());
  const bool plain = summary.output.find('/') == std::string::npos;
  std::printf("run it: %s%s\n", plain ? "./" : "", summary.output.c_str());
}

}  // namespace

int build_verb(int argc, char** argv) {
  packaging::BuildRequest request;
  bool no_check = false, quiet = false;
  CLI::App app("Packs SOURCE into one executable file that brings its own root.", "rootlet build");
  app.footer(kExamples);
  declare(app, request, no_check, quiet);
  if (const auto status = parse_arguments(app, argc, argv)) return *status;
  request.check = !no_check;
  const bool terminal = !quiet && ::isatty(STDERR_FILENO) == 1;
  if (terminal) request.progress = show_progress;

  const auto summary = packaging::build(request);
  if (terminal) clear_progress();
  if (!summary.ok()) {
    print_error(summary.error());
    return summary.error().exit_code;
  }
  if (!quiet) print_summary(summary.value());
  return 0;
}

}  // namespace rootlet
