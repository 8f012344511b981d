// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "runtime/apprun/in_place.hpp"
#include "runtime/apprun/policy_view.hpp"

// /AppRun of every image that `rootlet build` writes. The stub runs the
// policy's command without it; it is for everyone else: a program that mounted
// the image (firejail, AppImageLauncher, mount -o loop) and runs ./AppRun, or
// something inside the root that runs /AppRun. The rules are those of
// runtime/run/entry.cpp.
namespace apprun {
namespace {

Place own_place() {
  char path[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  if (length <= 0 || path[0] != '/') {
    // No /proc: the name that execve(2) was given.
    const auto* name = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
    if (name == nullptr || strlen(name) >= sizeof path) name = "/AppRun";
    strcpy(path, name);
    length = static_cast<ssize_t>(strlen(path));
  }
  path[length] = '\0';
  char* slash = strrchr(path, '/');
  const char* directory = slash == nullptr ? "." : slash == path ? "/" : (*slash = '\0', path);
  const int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail({"open the image's directory", directory, nullptr, errno});
  return {fd, copy(directory, strlen(directory))};
}

const char* program_of(const PolicyView& policy, const char* command) {
  for (size_t i = 0; i < policy.commands.count(); ++i) {
    if (strcmp(policy.commands[i], command) == 0) return policy.programs[i];
  }
  return nullptr;
}

const char* list_of_commands(const PolicyView& policy, const char* between) {
  const char* list = "";
  for (const char* command : policy.commands) {
    list = join(list, *list != '\0' ? between : "", command);
  }
  return list;
}

// Several commands, and none was named: alone the list is what was asked for.
[[noreturn]] void no_command(const PolicyView& policy, const Words& arguments) {
  if (arguments.count() == 0) {
    print(STDOUT_FILENO, join(list_of_commands(policy, "\n"), "\n"));
    _exit(0);
  }
  const char* hint = join("its commands: ", list_of_commands(policy, " "));
  if (policy.by_argument) {
    fail({"run", arguments[0], join(policy.name, " has no such command"), 0, hint, 127});
  }
  fail(
      {"run", policy.name, "it has several commands, and was called by the name of none", 0, hint});
}

// The tool's argv; its first word is the program's path inside the image.
Words choose(const PolicyView& policy, const Words& environment, const char* called,
             const Words& arguments) {
  Words argv;
  const char* program = program_of(policy, base_name(called));
  // Another program's mount calls us AppRun and keeps the name in ARGV0.
  if (program == nullptr) program = program_of(policy, base_name(variable(environment, "ARGV0")));
  size_t used = 0;
  if (program == nullptr && policy.by_argument && arguments.count() > 0) {
    program = program_of(policy, arguments[0]);
    used = program != nullptr ? 1 : 0;
  }
  if (program != nullptr) {
    argv.add(program);
    argv.add_all(arguments.begin() + used);
    return argv;
  }
  if (policy.entrypoint.count() == 0) {
    if (policy.commands.count() > 0) no_command(policy, arguments);
    fail({"run", policy.name, "its policy names no program"});
  }
  argv.add_all(policy.entrypoint.begin());
  argv.add_all(arguments.count() > 0 ? arguments.begin() : policy.arguments.begin());
  return argv;
}

// Inside a root: every path is right as it stands.
[[noreturn]] void run_inside(const PolicyView& policy, const Words& argv, Words environment) {
  // Under rootlet (APPDIR=/) the variables are there, and the caller's own
  // options may have changed them.
  const bool prepared = strcmp(variable(environment, "APPDIR"), "/") == 0;
  for (const char* entry : policy.env) {
    const char* name = copy(entry, strcspn(entry, "="));
    if (!prepared || variable(environment, name, nullptr) == nullptr)
      set_variable(environment, entry);
  }
  execve(argv[0], argv.argv(), environment.argv());
  const int code = errno;
  const bool missing = code == ENOENT || code == ENOTDIR;
  const bool there = access(argv[0], F_OK) == 0;
  fail({"run", argv[0],
        code != ENOENT ? nullptr
        : there        ? "its interpreter or dynamic loader is not in the image"
                       : "the image has no such program",
        code, nullptr, missing && !there ? 127 : 126});
}

[[noreturn]] void run(char** argv, char** env) {
  const Place place = own_place();
  const PolicyView policy = read_policy(place.fd);
  Words arguments, environment;
  environment.add_all(env);
  // An empty argv is possible before Linux 5.18.
  const char* called = argv[0] != nullptr ? argv[0] : "AppRun";
  arguments.add_all(argv[0] != nullptr ? argv + 1 : argv);

  const Words tool = choose(policy, environment, called, arguments);
  if (strcmp(tool[0], "/AppRun") == 0)
    fail({"run", policy.name, "its policy names /AppRun itself"});
  const bool inside = strcmp(place.path, "/") == 0;
  // The caller's directory, unless it cannot be seen from here.
  char cwd[PATH_MAX];
  const bool lost = getcwd(cwd, sizeof cwd) == nullptr || cwd[0] != '/';
  const char* workdir = inside ? policy.workdir : join(place.path, policy.workdir);
  if (lost && chdir(workdir) != 0 && chdir(place.path) != 0) {
    fail({"change to the directory", workdir, nullptr, errno});
  }
  if (inside) run_inside(policy, tool, environment);
  run_in_place(place, tool, environment, policy.env);
}

}  // namespace
}  // namespace apprun

int main(int, char** argv, char** env) { apprun::run(argv, env); }
