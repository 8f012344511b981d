// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "launcher/tools_program.hpp"
#include "launcher/verbs.hpp"
#include "runtime/os/traces.hpp"
#include "runtime/run/options.hpp"

namespace rootlet {
namespace {

void print_help() {
  std::string text =
      "Usage: rootlet VERB [OPTIONS] ...\n"
      "One executable file that brings its own root.\n";
  std::string_view group;
  for (const Verb& verb : kVerbs) {
    if (verb.group != group) text += "\n" + std::string(verb.group) + ":\n";
    group = verb.group;
    text += "  " + std::string(verb.name) + std::string(12 - verb.name.size(), ' ') +
            std::string(verb.summary) + "\n";
  }
  text +=
      "\nExamples:\n"
      "  rootlet build ./rootfs --entry hmmsearch -o hmmsearch.AppImage\n"
      "  rootlet inspect hmmsearch.AppImage\n"
      "\n`rootlet VERB --help` tells the rest. Exit status 125: rootlet itself failed.\n";
  std::fputs(text.c_str(), stdout);
}

int unknown_verb(const std::string& name) {
  std::vector<std::string_view> known;
  for (const Verb& verb : kVerbs) known.push_back(verb.name);
  const std::string near = nearest(name, known);
  print_error(
      plain_error("read the command line", name, "no such verb",
                  near.empty() ? "rootlet --help lists them" : "did you mean \"" + near + "\"?"));
  return 125;
}

int run_named(const Verb& verb, int argc, char** argv) {
  if (verb.program == Program::tools) return run_tools(argv);
  if (verb.name == "run") return run_verb(argc, argv);
  if (verb.name == "exec") return exec_verb(argc, argv);
  if (verb.name == "chroot") return chroot_verb(argc, argv);
  if (verb.name == "encapsulate") return encapsulate_verb(argc, argv);
  if (verb.name == "doctor") return doctor_verb(argc, argv);
  if (verb.name == "cache") return cache_verb(argc, argv);
  if (verb.name == "learn") return learn_verb(argc, argv);
  if (verb.name == "ps") return ps_verb(argc, argv);
  if (verb.name == "kill") return kill_verb(argc, argv);
  if (verb.name == "stats") return stats_verb(argc, argv);
  return shell_verb(argc, argv);
}

}  // namespace
}  // namespace rootlet

int main(int argc, char** argv) {
  using namespace rootlet;
  os::know_command_line(argc, argv, environ);
  // A symlink that is named as the command it stands in for.
  const std::string called = argc > 0 ? argv[0] : "";
  const std::string own = called.substr(called.rfind('/') + 1);
  if (own == "nsroot") return chroot_verb(argc, argv);
  if (own == "encapsulate") return encapsulate_verb(argc, argv);
  const std::string name = argc > 1 ? argv[1] : "";
  if (name.empty() || name == "--help" || name == "-h" || name == "help") {
    print_help();
    return name.empty() ? 125 : 0;
  }
  if (name == "--version") {
    std::puts("rootlet " ROOTLET_VERSION);
    return 0;
  }
  for (const Verb& verb : kVerbs) {
    if (name == verb.name) return run_named(verb, argc - 1, argv + 1);
  }
  return unknown_verb(name);
}
