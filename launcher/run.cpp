// SPDX-License-Identifier: MIT
#include <unistd.h>

#include "launcher/configuration.hpp"
#include "launcher/join_run.hpp"
#include "launcher/release.hpp"
#include "launcher/run_options.hpp"
#include "launcher/start.hpp"
#include "launcher/verbs.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/os/process.hpp"
#include "runtime/run/paths.hpp"
#include "runtime/run/run_record.hpp"

// run, exec and shell: a packed file, a bare squashfs or a directory, run by
// our own code. The stub inside IMAGE is never executed.
namespace rootlet {
namespace {

std::string usage(const std::string& verb) {
  return "Usage: rootlet " + verb + " [OPTION]... IMAGE" + (verb == "exec" ? " PROGRAM" : "") +
         (verb == "shell" ? "" : " [ARGUMENT]...") +
         "\n\n"
         "IMAGE: an AppImage, a squashfs, FILE@OFFSET, JAR!/NAME, a root directory, or\n"
         "RELEASE TOOL (see rootlet lock)" +
         (verb == "run" ? ".\n" : ";\nor the number of a run, to go inside of it.\n") +
         "What follows IMAGE is the tool's.\n\n";
}

// What most runs need: a screen.
void print_run_help(const std::string& verb) {
  std::string text =
      usage(verb) +
      "  --bind=SRC[:DST[:ro|rw]]  show a path of the host; -B, --volume\n"
      "  --input=PATH --output=DIR show them read-only, writable\n"
      "  --profile=NAME            isolated, contained (the default) or compat\n"
      "  --net=none|host|private   none is the default\n"
      "  --memory=SIZE --cpus=N --timeout=TIME and other limits\n"
      "  --env=NAME=VALUE          a variable inside\n"
      "  --gui --nv --rocm         windows; GPUs\n"
      "  --dry-run                 print the plan, run nothing\n"
      "  --help-all                all options; rootlet-run(1) explains them\n"
      "\nExamples:\n"
      "  rootlet run hmmer.AppImage hmmsearch globins.hmm proteins.fa\n"
      "  rootlet run --profile isolated --input in.fa --output out tool.AppImage\n"
      "  rootlet exec --net host tool.AppImage /usr/bin/curl --version\n"
      "  rootlet shell ./rootfs\n"
      "\nExit status: the tool's own; 125 our failure, 126 cannot be run, 127 not there\n";
  (void)os::write_all(STDOUT_FILENO, text, "print");
}

void print_all_options(const std::string& verb) {
  std::string text = usage(verb);
  for (const OptionRow& row : option_table()) {
    if (row.help.empty()) continue;
    std::string left = "  " + usage_of(row);
    left.resize(std::max<std::size_t>(left.size() + 2, 38), ' ');
    text += left + std::string(row.help) + "\n";
  }
  text +=
      "  --verify=off|warn|require           what becomes of an image without a good signature\n"
      "\nApptainer's spellings are understood: -B -e -c -C -H -W -S -o -p -i -n -f, --containall,\n"
      "--cleanenv, --writable-tmpfs and the others of rootlet-run(1).\n";
  (void)os::write_all(STDOUT_FILENO, text, "print");
}

// exec RUN COMMAND..., shell RUN: inside of a run that goes on.
Result<int> join(const std::string& verb, const RunLine& line, std::vector<int> closed) {
  for (const Setting& setting : line.options.given) {
    const bool counts = setting.name == "env" || setting.name == "cwd";
    if (counts || setting.origin != Origin::command_line) continue;
    return plain_error("join the run", option_text(setting.name), "the run goes on already",
                       "of the options only env and cwd count here");
  }
  std::vector<std::string> command = line.arguments;
  if (verb == "shell" && command.empty()) command = {"/bin/sh"};
  if (command.empty()) {
    return plain_error("read the command line", "rootlet exec", "no PROGRAM is given",
                       "rootlet exec RUN PROGRAM [ARGUMENT]...");
  }
  return join_run(TRY(find_run(line.image)), line.options, command, std::move(closed));
}

// RELEASE TOOL ...: the tool that it pins, and its data. Returns the tool's digest.
Result<std::string> take_from(const Release& release, const std::string& verb, RunLine& line) {
  const std::string name = line.arguments.empty() ? "" : line.arguments.front();
  const Release::Pin* tool = release.tool(name);
  if (tool == nullptr) {
    std::string known;
    for (const Release::Pin& pin : release.tools) known += (known.empty() ? "" : ", ") + pin.name;
    Error error = plain_error("run from the release", line.image,
                              name.empty() ? "no tool is named" : "it has no tool " + name);
    error.hint = "rootlet " + verb + " " + line.image + " TOOL ...; its tools: " + known;
    return error;
  }
  line.arguments.erase(line.arguments.begin());
  const Caller caller = read_caller("rootlet", environ);
  std::vector<std::string>& given = line.options.data_paths;
  DataSearch found = TRY(find_pin(*tool, release, given, caller));
  if (!found.fd.valid()) return pin_is_missing(*tool, release, found);
  for (const Release::Pin& data : release.data) {
    if (!data.attached) continue;
    const DataSearch image = TRY(find_pin(data, release, given, caller));
    if (!image.fd.valid()) return pin_is_missing(data, release, image);
    line.options.attachments.push_back({image.file, data.path});
  }
  given.push_back(directory_of(release.file));  // where the tools' own data may lie, too
  line.image = found.file;
  RunRecord::of_this_run().release = release.as_json();
  return tool->digest;
}

Result<int> run(const std::string& verb, int argc, char** argv) {
  set_option_prefix("--");
  if (argc > 1 && std::string_view(argv[1]) == "--help-all") {
    print_all_options(verb);
    return 0;
  }
  std::vector<int> closed = os::hold_standard_streams();
  Options configured = TRY(configured_options(environ));
  RunLine line = TRY(parse_run({argv + 1, argv + argc}, std::move(configured)));
  if (line.options.help) {
    print_run_help(verb);
    return 0;
  }
  if (line.image.empty()) {
    return plain_error("read the command line", "rootlet " + verb, "no IMAGE is given",
                       "rootlet " + verb + " --help");
  }
  std::string seal;
  if (const auto release = TRY(read_release(line.image)); release) {
    seal = TRY(take_from(*release, verb, line));
  }
  if (verb != "run" && names_a_run(line.image)) return join(verb, line, std::move(closed));
  if (verb == "shell") line.options.shell = true;
  if (verb == "exec") {
    if (line.arguments.empty()) {
      return plain_error("read the command line", "rootlet exec", "no PROGRAM is given",
                         "rootlet exec IMAGE PROGRAM [ARGUMENT]...");
    }
    line.options.exec = line.arguments.front();
    line.arguments.erase(line.arguments.begin());
  }
  return start(std::move(line.options), line.image, std::move(closed), line.arguments, seal);
}

}  // namespace

int run_verb(int argc, char** argv) { end_run(run("run", argc, argv)); }
int exec_verb(int argc, char** argv) { end_run(run("exec", argc, argv)); }
int shell_verb(int argc, char** argv) { end_run(run("shell", argc, argv)); }

}  // namespace rootlet
