// SPDX-License-Identifier: MIT
#include "launcher/rules/lint.hpp"

#include <algorithm>
#include <array>

#include "launcher/rules/lines.hpp"
#include "runtime/run/paths.hpp"

namespace rootlet::rules {
namespace {

struct Known {
  std::string_view name, why;
};

// Calls that a packaged tool seldom needs, and what they open.
constexpr std::array kCalls = std::to_array<Known>({
    {"ptrace", "it takes over any process of the run, and with it whatever that one may do"},
    {"process_vm_writev", "it changes the memory of any process of the run"},
    {"process_vm_readv", "it reads the memory of any process of the run"},
    {"pidfd_getfd", "it takes open files and sockets from other processes of the run"},
    {"mount", "mounts show files where the rules do not expect them"},
    {"pivot_root", "another root makes paths mean other files"},
    {"chroot", "another root makes paths mean other files"},
    {"setns", "it enters namespaces with rights that the rules do not know"},
    {"bpf", "it loads programs into the kernel"},
    {"userfaultfd", "attacks on the kernel use it to win races"},
    {"io_uring_setup", "requests by io_uring pass every filter of system calls"},
    {"keyctl", "keyrings are shared by all processes of the user"},
    {"perf_event_open", "a large and often attacked part of the kernel"},
    {"memfd_create", "a program can be made in memory and executed past all rules on paths"},
    {"execveat", "a program can be executed by descriptor, in memory too"},
});

// Programs that run whatever they are told to.
constexpr std::string_view kInterpreters[] = {
    "sh",   "bash",  "dash", "zsh",  "ksh",     "busybox", "perl", "python",
    "ruby", "lua",   "node", "env",  "Rscript", "awk",     "gawk", "mawk",
    "php",  "tclsh", "java", "find", "xargs",   "ld.so",   "ssh"};

// Arguments that must be limited for an entry to mean something.
constexpr std::string_view kNeedArguments[] = {"ioctl", "socket",   "clone", "unshare",
                                               "mmap",  "mprotect", "prctl", "ptrace"};

bool is_interpreter(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);
  name.erase(std::find_if(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }),
             name.end());
  return std::find(std::begin(kInterpreters), std::end(kInterpreters), name) !=
         std::end(kInterpreters);
}

bool changes(const Path& path) {
  return path.access.contains(Access::write) || path.access.contains(Access::create) ||
         path.access.contains(Access::remove);
}

class Linter {
 public:
  explicit Linter(const Rules& rules) : rules_(rules) {}

  std::vector<Remark> run() {
    coverage();
    for (const SystemCall& call : rules_.system_calls) look_at(call);
    for (const Path& path : rules_.paths) look_at(path);
    for (const Program& program : rules_.programs) look_at(program);
    for (const Network& network : rules_.network) look_at(network);
    return std::move(remarks_);
  }

 private:
  void wide(const std::string& what, const std::string& why) {
    remarks_.push_back({true, what, why});
  }
  void known(const std::string& what, const std::string& why) {
    remarks_.push_back({false, what, why});
  }

  void coverage() {
    if (rules_.action == Action::log) {
      wide("otherwise: log", "nothing is refused; it is for trying rules out");
    }
    if (rules_.runs.size() < 2) {
      known(std::to_string(rules_.runs.size()) + " run",
            "what other inputs need is not in these rules; rootlet learn --append adds runs");
    }
    for (const Run& run : rules_.runs) {
      if (!run.end.empty() && run.end != "exit 0") {
        known("run " + run.name,
              "it ended with " + run.end + ": a tool that failed did not do all");
      }
      if (!run.note.empty()) known("run " + run.name, run.note);
    }
  }

  void look_at(const SystemCall& call) {
    for (const Known& one : kCalls) {
      if (call.name == one.name) wide(words_of(call), std::string(one.why));
    }
    const bool needs = std::find(std::begin(kNeedArguments), std::end(kNeedArguments), call.name) !=
                       std::end(kNeedArguments);
    if (needs && call.arguments.empty()) {
      wide(words_of(call), "every argument is allowed; some of them do much more than others");
    }
    const auto value_has = [&](std::string_view part) {
      return std::any_of(call.arguments.begin(), call.arguments.end(), [&](const Condition& one) {
        return std::any_of(one.values.begin(), one.values.end(), [&](const Value& value) {
          return value.name.find(part) != std::string::npos;
        });
      });
    };
    if (value_has("CLONE_NEWUSER")) {
      wide(words_of(call),
           "in a user namespace of its own the tool reaches much more of the kernel");
    }
    if (call.name == "mprotect" && value_has("PROT_EXEC")) {
      known(words_of(call),
            "memory that was written can be executed, as just-in-time compilers do");
    }
    const bool internet = value_has("AF_INET");
    if (call.name == "socket" && internet && rules_.network.empty()) {
      known(words_of(call), "sockets can be made though no address is ever used");
    }
  }

  void look_at(const Path& path) {
    const std::string words = words_of(path);
    if (path.path == "/" && path.below) return wide(words, "everything there is");
    if (path.below && path.path == "$HOME" && path.where != "scratch") {
      wide(words, "keys, mail and start-up files lie there");
    }
    if (changes(path) && path.where == "image") {
      known(words, "the image is read-only; a layer (overlay) keeps the changes");
    }
    if (path.below && changes(path) && path.where == "bind") {
      known(words, "whatever of the host is shown there can be changed");
    }
    if (path.below && (path.path == "/proc" || path.path == "/proc/PID")) {
      wide(words, "memory, open files and environment of all processes of the run");
    }
    if (path.path.starts_with("/dev/mem") || path.path.starts_with("/dev/kmem")) {
      wide(words, "the memory of the machine");
    }
  }

  void look_at(const Program& program) {
    const std::string words = words_of(program);
    if (program.below) wide(words, "each program there, of later versions of the image too");
    if (is_interpreter(program.path)) {
      known(words, "it does whatever its input says; of scripts only the interpreter is checked");
    }
    for (const Path& path : rules_.paths) {
      const bool same = path.below ? is_below(program.path, path.path) : program.path == path.path;
      if (same && changes(path)) wide(words, "the tool may change it, and so execute anything");
    }
  }

  void look_at(const Network& network) {
    if (network.address.empty() && network.family.starts_with("inet")) {
      wide(words_of(network), "any address");
    }
    if (network.family.starts_with("inet") && network.type != "stream") {
      known(words_of(network), "Landlock checks TCP only: the address is not enforced");
    }
    if (network.direction == "bind" && (network.address == "0.0.0.0" || network.address == "::")) {
      known(words_of(network), "it listens on every interface");
    }
  }

  const Rules& rules_;
  std::vector<Remark> remarks_;
};

}  // namespace

std::vector<Remark> lint(const Rules& rules) { return Linter(rules).run(); }

}  // namespace rootlet::rules
