// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <cstdlib>

#include "launcher/chroot_options.hpp"
#include "launcher/configuration.hpp"
#include "launcher/start.hpp"
#include "launcher/verbs.hpp"
#include "runtime/base/log.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/os/process.hpp"

// chroot: what nsroot does, in its words, by the same run as all others.
namespace rootlet {
namespace {

constexpr std::string_view kHelp =
    "Usage: rootlet chroot [OPTION]... NEWROOT [COMMAND [ARGUMENT]...]\n"
    "       nsroot [OPTION]... NEWROOT [COMMAND [ARGUMENT]...]\n"
    "Runs COMMAND with NEWROOT, a directory or an image, as its root; they default to\n"
    ". and $SHELL -i (/bin/sh where NEWROOT lacks it). Options end at NEWROOT.\n"
    "\n"
    "  -v, --volume=SRC:DEST[:ro|rw]  show SRC of the host at DEST; repeatable, in\n"
    "                                 order; \\: is a colon in a path\n"
    "  -r, --read-only                a directory as NEWROOT may not be written\n"
    "  -n, --net                      an own network: loopback alone\n"
    "  -i, --ipc                      own System V IPC and message queues\n"
    "  -M, --uid-map=MAP              'INSIDE OUTSIDE COUNT[,...]'; else your own ids\n"
    "  -G, --gid-map=MAP\n"
    "  -k, --keep-old-root            leave all of the host in reach, at /mnt\n"
    "  -o, --old-root=/DIR            where -k leaves it; else ignored\n"
    "  -h, --help\n"
    "  --rootlet-NAME[=VALUE]         any option of rootlet run\n"
    "\n"
    "Example:\n"
    "  rootlet chroot -n -v ./data:/data:ro ./rootfs sh -c 'wc -l /data/*'\n"
    "\n"
    "Own processes, /proc, /dev and /tmp always. Differences: rootlet-chroot(1).\n"
    "Exit status: COMMAND's own; 125 our failure, 126 cannot be run, 127 not there.\n";

std::string shell_of_caller() {
  const char* shell = std::getenv("SHELL");
  return shell != nullptr && shell[0] != '\0' ? shell : "/bin/sh";
}

Result<int> run(int argc, char** argv) {
  std::vector<int> closed = os::hold_standard_streams();
  Options configured = TRY(configured_options(environ));
  ChrootLine line = TRY(parse_chroot({argv + 1, argv + argc}, std::move(configured)));
  if (line.help) {
    (void)os::write_all(STDOUT_FILENO, kHelp, "print");
    return 0;
  }
  if (line.command.empty()) {
    line.command = {shell_of_caller(), "-i"};
    line.options.instead = {"/bin/sh", "-i"};
  }
  // The command is looked up as the caller would; the root is made for it.
  if (const char* path = std::getenv("PATH")) {
    line.options.env.insert(line.options.env.begin(), "PATH=" + std::string(path));
  }
  line.options.exec = line.command.front();
  line.command.erase(line.command.begin());
  for (const std::string& note : line.notes) Log::note(note);
  return start(std::move(line.options), line.root, std::move(closed), line.command);
}

}  // namespace

int chroot_verb(int argc, char** argv) { end_run(run(argc, argv)); }

}  // namespace rootlet
