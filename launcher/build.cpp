// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <chrono>

#include "launcher/build_report.hpp"
#include "launcher/command_line.hpp"
#include "launcher/signer.hpp"
#include "launcher/verbs.hpp"
#include "launcher/zsync_file.hpp"
#include "packaging/assemble.hpp"
#include "packaging/data_image.hpp"

namespace rootlet {
namespace {

constexpr const char* kExamples =
    "SOURCE is a path, whose kind is recognised, or one of\n"
    "  dir:PATH appdir:PATH tar:PATH     a root; an AppDir; what docker export wrote\n"
    "  oci:PATH[:TAG]  docker-archive:PATH[:NAME]    a container image, with its entry point\n"
    "  deb:PACKAGE[=VERSION][,...]       Debian packages with dependencies, really installed\n"
    "  conda:PATH                        an environment, a lock file, an environment.yml\n"
    "  appimage:PATH                     another AppImage, best with --with-root SOURCE\n"
    "  recipe:FILE.toml  recipe:NAME     a recipe: all of this in one file (docs/recipes.md)\n"
    "\n"
    "Examples:\n"
    "  rootlet build deb:hmmer -o hmmer.AppImage\n"
    "  docker save IMAGE > x.tar; rootlet build x.tar -o x.AppImage\n"
    "  rootlet build recipe:ray -o ray.AppImage\n"
    "  rootlet build ./rootfs --entry /usr/bin/hmmsearch -o hmmsearch.AppImage\n"
    "  rootlet build other.AppImage --with-root deb:libgtk-3-0 -o own.AppImage\n"
    "\n"
    "No root is needed and nothing of SOURCE is changed. Symlinks are packed as they are.\n"
    "The same input gives the same bytes; SOURCE_DATE_EPOCH sets the time stamp. An existing\n"
    "FILE is replaced when it is a program or empty. More: rootlet-build(1), docs/sources.md.\n";

void declare_source(CLI::App& app, packaging::SourceRequest& source) {
  const char* group = "The source";
  app.add_option("--with-root", source.with_root,
                 "another SOURCE: the root that SOURCE is put into")
      ->group(group);
  app.add_option("--with", source.with, "deb: install PACKAGE too, without its commands")
      ->allow_extra_args(false)
      ->group(group);
  app.add_option("--root", source.root, "deb: pack this root, in which they are installed")
      ->group(group);
  app.add_option("--suite", source.suite, "deb: the release [the host's]")->group(group);
  app.add_option("--mirror", source.mirrors, "deb: a URI, sources line or file [the host's]")
      ->allow_extra_args(false)
      ->group(group);
  app.add_option("--platform", source.platform, "oci: OS/ARCH[/VARIANT] [the stub's]")
      ->group(group);
  app.add_option("--max-size", source.maximum, "an archive unpacks to at most this [64G]")
      ->transform(CLI::AsSizeValue(false))
      ->group(group);
}

// What happens to the file beyond building it.
struct Finish {
  bool sign = false, zsync = false;
  SigningRequest with;
};

void declare_finish(CLI::App& app, Finish& finish) {
  const char* group = "Signing and updating";
  app.add_flag("--sign", finish.sign, "sign it, as rootlet sign does")->group(group);
  app.add_option("--sign-key", finish.with.keys, "with this key (rootlet sign --key)")
      ->allow_extra_args(false)
      ->group(group);
  app.add_flag("--sign-gpg", finish.with.gpg, "with gpg's default key")->group(group);
  app.add_option("--passphrase-file", finish.with.passphrase_file, "of the key")->group(group);
  app.add_flag("--zsync", finish.zsync, "make FILE.zsync beside it, for rootlet update")
      ->group(group);
}

void declare(CLI::App& app, packaging::BuildRequest& request, bool& no_check, bool& quiet) {
  app.add_option("SOURCE", request.source.spec, "a path, or KIND:WHAT; see below")->required();
  app.add_option("-o,--output", request.output, "the file to write [NAME-ARCH.AppImage]");
  const char* tool = "The tool";
  app.add_option("--entry", request.entry, "the program to run: a path inside, or a name in PATH")
      ->group(tool);
  app.add_option("--policy", request.policy_file, "rootlet.toml: entry, commands, isolation, data")
      ->group(tool);
  app.add_option("--name", request.name, "the tool's name [the entry's]")->group(tool);
  app.add_option("--tool-version,--version-string", request.version, "the tool's version")
      ->group(tool);
  declare_source(app, request.source);
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
  app.add_option("--base", request.base,
                 "pack only what differs from this image, which will run below the new one")
      ->group(image);
  app.add_option("--trim", request.trim.kinds,
                 "leave out docs, caches, locales, logs (these without a value), devel, debug, "
                 "all, or what FILE lists")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->group(image);
  app.add_option("--keep-locale", request.trim.keep_locales, "a language that --trim keeps")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->group(image);
  app.add_option("--order", request.order,
                 "a file with the paths of a start-up, first used first: packed side by side")
      ->group(image);
  app.add_option("--update-information", request.update_information,
                 "where newer versions are found, as AppImageUpdate reads it")
      ->group("Signing and updating");
  app.add_option("--stub", request.stub, "the program in front [rootlet-stub]")->group(image);
  app.add_option("--apprun", request.apprun, "the image's AppRun [rootlet-apprun]")->group(image);
  const char* how = "How";
  app.add_flag("--no-check", no_check, "pack even what cannot start")->group(how);
  app.add_flag("--no-seal{false}", request.seal, "no hashes that reads are checked against")
      ->group(how);
  app.add_flag("--data", request.data, "SOURCE is data: a bare squashfs, to be attached")
      ->group(how);
  app.add_flag("!--no-selftest", request.self_test, "do not run the policy's self-test")
      ->group(how);
  app.add_option("--selftest-timeout", request.self_test_seconds, "seconds that it may take [60]")
      ->check(CLI::Range(1, 86400))
      ->group(how);
  app.add_flag("--force", request.force, "replace FILE whatever it is")->group(how);
  app.add_flag("-q,--quiet", quiet, "no progress and no summary")->group(how);
}

std::optional<int> read_command_line(int argc, char** argv, packaging::BuildRequest& request,
                                     Finish& finish, bool& quiet) {
  bool no_check = false;
  CLI::App app("Packs SOURCE into one executable file that brings its own root.", "rootlet build");
  app.footer(kExamples);
  declare(app, request, no_check, quiet);
  declare_finish(app, finish);
  if (const auto status = parse_arguments(app, argc, argv)) return status;
  request.check = !no_check;
  return std::nullopt;
}

// What the recipe says are the defaults of a second reading: an option of the
// command line replaces the recipe's.
std::optional<int> read_with_recipe(int argc, char** argv, packaging::BuildRequest& request,
                                    Finish& finish, bool& quiet) {
  packaging::BuildRequest from;
  const auto status = packaging::read_recipe(request.source.spec, from);
  if (!status.ok()) {
    print_error(status.error());
    return status.error().exit_code;
  }
  const std::string source = from.source.spec;
  finish = {};  // of the reading before
  if (const auto end = read_command_line(argc, argv, from, finish, quiet)) return end;
  from.source.spec = source;
  request = std::move(from);
  return std::nullopt;
}

// The keys are read, and passphrases asked for, before hours of work.
Status prepare_signing(packaging::BuildRequest& request, const Finish& finish,
                       std::vector<Signer>& signer) {
  if (!finish.sign && finish.with.is_empty()) return Done{};
  signer.push_back(TRY(Signer::open(finish.with)));
  request.finish = [&signer](int fd, const std::string& name) -> Status {
    TRY(signer.front().sign_inside(fd, name));
    return Done{};
  };
  return Done{};
}

int fail(const Error& error) {
  print_error(error);
  return error.exit_code;
}

}  // namespace

int build_verb(int argc, char** argv) {
  packaging::BuildRequest request;
  Finish finish;
  std::vector<Signer> signer;
  bool quiet = false;
  // Its value is optional, and only behind "=": the next word is SOURCE.
  static char trim_default[] = "--trim=default";
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--trim") argv[i] = trim_default;
  }
  if (const auto status = read_command_line(argc, argv, request, finish, quiet)) return *status;
  if (packaging::names_recipe(request.source.spec)) {
    if (const auto status = read_with_recipe(argc, argv, request, finish, quiet)) return *status;
  }
  const auto began = std::chrono::steady_clock::now();
  BuildProgress progress;
  const bool terminal = !quiet && ::isatty(STDERR_FILENO) == 1;
  if (terminal) request.report = [&](const packaging::Progress& at) { progress.show(at); };

  if (const auto ready = prepare_signing(request, finish, signer); !ready.ok()) {
    return fail(ready.error());
  }
  const auto summary = request.data ? packaging::build_data(request) : packaging::build(request);
  if (terminal) progress.finish();
  if (!summary.ok()) return fail(summary.error());
  if (finish.zsync) {
    if (const auto made = make_zsync_file(summary.value().output); !made.ok()) {
      return fail(made.error());
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  if (!quiet) print_summary(summary.value(), took.count());
  return 0;
}

}  // namespace rootlet
