// SPDX-License-Identifier: MIT
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "runtime/base/option_text.hpp"
#include "runtime/base/result.hpp"
#include "runtime/rules/rules.hpp"
#include "runtime/sandbox/id_map.hpp"

namespace rootlet {

// How the caller treats signals, as far as a run changes it for itself.
struct CallerSignals {
  sigset_t mask{};
  bool ignores_children = false;
};

namespace sandbox {

// A part of what is shown writable that stays as it is: read-only, or only kept
// from being renamed and removed.
struct Guard {
  std::string path;  // below what is shown, without a leading slash
  bool writable = false;
};

// One thing shown at a path of the new root.
struct Place {
  enum class Kind {
    bind,      // a host path
    scratch,   // an empty directory in the run's own memory
    writable,  // what the root has there, writable, its changes in the run's own memory
    text,      // a small file with this content, read-only
    image,     // another image, read-only
    hidden,    // of the host: an empty file over a socket, an empty directory over a mount
  };
  Kind kind = Kind::bind;
  std::string target;          // absolute, inside; resolved inside whatever symlinks the image has
  std::string source;          // bind: the host path; text: the content; image: its file
  std::string part;            // image: the directory of it to show; empty: all of it
  std::size_t image = 0;       // image: its number among the images of the run
  bool writable = false;       // bind
  bool optional = false;       // bind: skip when the source is missing
  bool here = false;           // bind: the directory that we are in, whatever its name is now
  bool only_if_empty = false;  // the rule of $PWD: never hide entries of the image
  bool only_if_missing = false;  // scratch: where the root has nothing there
  bool devices = false;          // bind: device nodes in it work
  unsigned mode = 0755;          // scratch
  bool may_lie_on_disk = false;  // scratch: where the plan names a disk
  bool ours = false;             // bind: a private directory on the host, made for this run
  std::vector<Guard> guards;     // bind: from the top down
};

// A writable layer over the whole root.
struct Overlay {
  std::string directory;  // on the host; empty: in memory
  std::string size;       // of one in memory, tmpfs(5)
  int fd = -1;            // of the directory; holds its lock as long as the run lives
};

// One line of a plan, for those who read it.
struct Fact {
  std::string name, value;
};

// What "/" of a run is made of.
enum class RootKind {
  image,      // served or unpacked; never written
  directory,  // of the host, at Plan::root_directory
  host        // the host's own "/", with all that is mounted below it
};

// How a network namespace of a run's own reaches the outside.
enum class Wiring {
  none,
  pasta,
  slirp4netns,
  veth,
};

// A system-call filter that the caller gave.
struct Filter {
  std::string file;     // for messages
  std::string program;  // sock_filter instructions
};

// Everything that a run will do, as plain data. Made before anything is done,
// printed by --dry-run, and obeyed by init.
struct Plan {
  Profile profile = Profile::contained;
  unsigned long namespaces = 0;  // CLONE_NEW*, all but the network's
  bool own_network = true;       // a network namespace, loopback up
  Wiring wiring = Wiring::none;
  std::string wire;             // the program that connects it, or the veth pair's name outside
  bool own_clock = false;       // a time namespace
  bool host_processes = false;  // /proc shows those of the host
  bool sysfs = true;            // /sys: none under `isolated`
  bool best_effort = false;
  bool nested = true;  // the tool may make user namespaces of its own
  std::optional<std::string> hostname;

  Ids ids;

  // Another run may not use this one's image server, nor this one another's:
  // several ids read the image, or one that is not the caller's.
  bool needs_errands() const { return ids.written_outside() || wiring != Wiring::none; }
  bool needs_own_server() const { return ids.many() || ids.become; }

  RootKind root = RootKind::image;
  bool on_base = false;            // the image lies over the second of the run's images
  std::string root_directory;      // what is bound as the root; empty: the first image
  std::string root_reached;        // an image: how, in a word
  bool root_writable = false;      // never an image
  std::vector<Guard> root_guards;  // where it is
  std::optional<Overlay> overlay;
  std::vector<Place> places;        // in this order
  std::vector<std::string> hidden;  // host directories that never show, whatever is bound
  std::string memory = "25%";       // the size of all scratch places together, tmpfs(5)
  std::string disk;                 // where scratch places lie on the host instead; may be empty

  std::string cwd;           // inside; where the tool starts
  std::string fallback_cwd;  // where `cwd` is not to be had
  bool keep_cwd = false;     // only if `cwd` is the very directory of the caller
  std::string program;       // the path inside to execute
  std::vector<std::string> argv;
  std::vector<std::string> instead;  // the argv to run where there is no such program
  std::vector<std::string> env;

  std::vector<std::string> limits;  // as "memory=64m", for text()
  // What the tool's process takes on before its program starts.
  std::vector<int> groups;                            // control groups: see ControlGroup::door()
  std::optional<std::uint64_t> file_size, processes;  // RLIMIT_FSIZE, RLIMIT_NPROC
  bool tell_start = false;                            // somebody wants to know when it does

  bool filter = true;                     // the default system-call filter
  std::vector<Filter> filters;            // the caller's own, on top of it
  std::vector<Rules> rules;               // each of them narrows; their paths are whole
  int rules_door = -1;                    // a socket that takes the listener of their filter
  bool tell_paths = false;                // and of paths, which costs time
  std::vector<std::string> not_enforced;  // of the rules, in words
  // Of a run that is watched: what the tool's process calls last, and the socket
  // that it then has; the default filter is a part of what that installs.
  Status (*be_watched)(const Plan& plan) = nullptr;
  int watcher = -1;
  bool scope_sockets = true;  // abstract sockets of the host are out of reach (Landlock)
  std::vector<int> pass_fds;
  CallerSignals signals;            // given back to the tool
  std::vector<int> closed_streams;  // of 0, 1 and 2

  // For --dry-run.
  std::vector<std::string> settings;  // what was said, and by whom
  std::vector<std::string> notes;     // what the user should know
  std::vector<Fact> facts() const;    // all of the above, in words
  std::string text() const;           // one fact a line
  // The same as one object; or, not `whole`, what of it makes a difference to a
  // tool: without notes, what was said, and the words and variables it gets.
  std::string json(bool whole = true) const;
};

}  // namespace sandbox
}  // namespace rootlet
