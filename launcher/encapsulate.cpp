// SPDX-License-Identifier: MIT
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "launcher/configuration.hpp"
#include "launcher/start.hpp"
#include "launcher/verbs.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/os/process.hpp"

// encapsulate: a view of the host as the root, read-only but for the subtrees
// that are named, by the same run as all others.
namespace rootlet {
namespace {

constexpr std::string_view kRead = "read the command line";
constexpr std::string_view kHelp =
    "Usage: rootlet encapsulate [--rootlet-NAME[=VALUE]]... 'A|B|..' COMMAND [ARG]...\n"
    "       encapsulate 'A|B|...' COMMAND [ARG]...         (a symlink to rootlet)\n"
    "\n"
    "Runs COMMAND on the host's files, read-only; the directories and files A, B, ...\n"
    "stay writable at their places. '' names none; \\| is a bar in a name. The list\n"
    "needs quotes. Own processes, /tmp, /run, IPC, network and /dev; no UNIX socket\n"
    "of the host can be reached that does not lie in A, B, ... The current directory\n"
    "is kept.\n"
    "\n"
    "Example:\n"
    "  rootlet encapsulate \"$PWD|/var/tmp/scratch\" make check\n"
    "\n"
    "More: rootlet-encapsulate(1). Exit status: COMMAND's own; 125 our failure, 126\n"
    "cannot be executed, 127 not there.\n";

// At its own place, wherever the name leads. Whether a path that the caller
// may not reach exists is not told.
Status name_writable(Options& options, const std::string& name) {
  char path[4096];
  if (name.empty()) {
    return plain_error(kRead, "'A|B|...'", "a name in it is empty", "'' alone names none");
  }
  struct stat status {};
  if (::realpath(name.c_str(), path) == nullptr || ::stat(path, &status) != 0) {
    return plain_error("find a writable subtree", name, "it is not there, or not for you");
  }
  if (std::string_view(path) == "/") {
    options.root_writable = true;
    return Done{};
  }
  options.add_bind({path, path, true});
  return Done{};
}

Result<int> run(int argc, char** argv) {
  std::vector<int> closed = os::hold_standard_streams();
  Options configured = TRY(configured_options(environ));
  CommandLine line = TRY(parse_packaged({argv + 1, argv + argc}, false, std::move(configured)));
  Options& options = line.options;
  std::vector<std::string>& words = line.arguments;
  if (options.help || (!words.empty() && (words[0] == "--help" || words[0] == "-h"))) {
    (void)os::write_all(STDOUT_FILENO, kHelp, "print");
    return 0;
  }
  if (line.appimage) return plain_error(kRead, "--appimage-" + *line.appimage, "no such option");
  if (words.size() < 2) {
    return plain_error(kRead, "rootlet encapsulate",
                       words.empty() ? "no subtrees are given" : "no COMMAND is given",
                       "quote the list, or the shell makes a pipe of it: rootlet encapsulate "
                       "'A|B' COMMAND; '' for no subtree");
  }
  if (!words[0].empty()) {
    for (const std::string& name : split_escaped(words[0], '|')) {
      TRY(name_writable(options, name));
    }
  }
  options.only_named = options.keep_cwd = options.keep_env = true;
  options.exec = words[1];
  return start(std::move(options), "/", std::move(closed), {words.begin() + 2, words.end()});
}

}  // namespace

int encapsulate_verb(int argc, char** argv) { end_run(run(argc, argv)); }

}  // namespace rootlet
