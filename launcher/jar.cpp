// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>

#include "launcher/command_line.hpp"
#include "launcher/jar_add.hpp"
#include "launcher/jar_journal.hpp"
#include "launcher/jar_verify.hpp"
#include "launcher/verbs.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/payload/zip.hpp"

namespace rootlet {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  rootlet jar add app.jar hmmer.AppImage blast=ncbi-blast.AppImage\n"
    "  rootlet jar list app.jar\n"
    "  rootlet run 'app.jar!/hmmer' hmmsearch ...\n"
    "  rootlet jar verify app.jar\n"
    "\n"
    "Images are stored, aligned, and run from the jar where they lie. Add them last:\n"
    "shade and assembly compress what they pack again.\n";

int fail(const Error& error) {
  print_error(error);
  return error.exit_code;
}

int add(const JarAdd& request, bool quiet) {
  const auto added = add_to_jar(request);
  if (!added.ok()) return fail(added.error());
  for (const std::string& line : added.value()) {
    if (!quiet) std::fprintf(stderr, "%s\n", line.c_str());
  }
  return 0;
}

int show(const std::string& jar, bool deep, bool json) {
  const auto findings = look_into_jar(jar, deep);
  if (!findings.ok()) return fail(findings.error());
  const auto& list = findings.value().images;
  const JarShape& shape = findings.value().shape;
  std::fputs((json ? findings_as_json(list) : findings_as_text(list, deep)).c_str(), stdout);
  // What is of the jar as a whole has no place in a list of images.
  std::FILE* out = json ? stderr : stdout;
  for (const std::string& line : shape.troubles) std::fprintf(out, "%s\n", line.c_str());
  for (const std::string& line : shape.remarks) std::fprintf(out, "%s\n", line.c_str());
  const bool sound = std::all_of(list.begin(), list.end(),
                                 [](const JarFinding& finding) { return finding.trouble.empty(); });
  return deep && !(sound && shape.troubles.empty()) ? 1 : 0;
}

int repair(const std::string& jar) {
  bool rolled_back = false;
  const auto opened = open_jar(jar, rolled_back);
  if (!opened.ok()) return fail(opened.error());
  const os::Fd fd(opened.value().fd);
  std::fputs(rolled_back ? "an add was killed half-way: rolled back\n" : "nothing to repair\n",
             stderr);
  return 0;
}

int verify(const std::string& jar, bool repaired, bool json) {
  if (repaired) {
    if (const int code = repair(jar); code != 0) return code;
  } else if (JarJournal::exists(jar)) {
    print_error(plain_error("verify", jar, "an add in place was killed half-way",
                            "rootlet jar verify --repair rolls it back"));
    return 1;
  }
  return show(jar, true, json);
}

}  // namespace

int jar_verb(int argc, char** argv) {
  CLI::App app("Puts images into a jar, where they run in place.", "rootlet jar");
  app.require_subcommand(1);
  app.footer(kExamples);
  JarAdd request;
  request.classifier = machine_classifier();
  bool quiet = false, json = false, repaired = false;
  const auto jar_option = [&](CLI::App* verb) {
    verb->add_option("JAR", request.jar, "a jar, or any zip archive")->required();
  };
  CLI::App* adds = app.add_subcommand("add", "add images to a jar");
  jar_option(adds);
  adds->add_option("IMAGE", request.images, "[NAME=]FILE: an AppImage or a squashfs")->required();
  adds->add_option("--classifier", request.classifier, "the machine they are for [this one]");
  adds->add_flag("--in-place", request.in_place,
                 "change the jar itself, behind a journal: for "
                 "jars too large to copy");
  adds->add_flag("--replace", request.replace,
                 "take the place of images of the same name; their "
                 "bytes stay in the file");
  adds->add_flag("-q,--quiet", quiet, "no summary");
  CLI::App* lists = app.add_subcommand("list", "what images a jar holds");
  jar_option(lists);
  lists->add_flag("--json", json, "as JSON");
  CLI::App* verifies = app.add_subcommand("verify", "can they run, and are they what was added?");
  jar_option(verifies);
  verifies->add_flag("--repair", repaired, "roll back an add in place that was killed");
  verifies->add_flag("--json", json, "as JSON");
  if (const auto status = parse_arguments(app, argc, argv)) return *status;
  if (adds->parsed()) return add(request, quiet);
  if (lists->parsed()) return show(request.jar, false, json);
  return verify(request.jar, repaired, json);
}

}  // namespace rootlet
