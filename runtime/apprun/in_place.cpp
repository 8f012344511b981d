// SPDX-License-Identifier: MIT
#include "runtime/apprun/in_place.hpp"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace apprun {
namespace {

constexpr const char* kRun = "run in place";

#if defined(__aarch64__)
constexpr const char* kTriplet = "aarch64-linux-gnu";
#else
constexpr const char* kTriplet = "x86_64-linux-gnu";
#endif

bool same_file(const char* a, const char* b) {
  struct stat of_a, of_b;
  return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
         of_a.st_ino == of_b.st_ino;
}

// Where `inside`, a path of the image, lies on the host; nullptr and errno.
// An absolute symlink of the image names a place in the image, so the path is
// resolved with the image as its root; where the host would find the same, the
// name is kept, which is what busybox and its like go by.
const char* find(const Place& place, const char* inside) {
  const char* name = join(place.path, inside);
  // Linux 5.6, openat2(2); musl 1.2.3 does not know it yet.
  constexpr long kOpenat2 = 437;
  struct {
    uint64_t flags, mode, resolve;
  } how = {O_PATH | O_CLOEXEC, 0, 0x10 /* IN_ROOT */};
  const long fd = syscall(kOpenat2, place.fd, inside, &how, sizeof how);
  if (fd < 0 && errno != ENOSYS && errno != EPERM && errno != EAGAIN) return nullptr;
  if (fd >= 0) {
    char link[32] = "/proc/self/fd/";
    char* digits = link + strlen(link);
    for (long scale = 1000000; scale > 0; scale /= 10) {
      if (fd >= scale || scale == 1) *digits++ = static_cast<char>('0' + fd / scale % 10);
    }
    char path[PATH_MAX];
    const ssize_t length = readlink(link, path, sizeof path);
    close(static_cast<int>(fd));
    if (length > 0 && length < static_cast<ssize_t>(sizeof path) && path[0] == '/') {
      path[length] = '\0';
      return same_file(name, path) ? name : copy(path, static_cast<size_t>(length));
    }
  }
  // An old kernel, a filter, or no /proc: right where no symlink is absolute.
  return access(name, F_OK) == 0 ? name : nullptr;
}

// The first bytes of a program, and the path of the dynamic loader in it.
struct Program {
  char head[256] = {};
  char loader[PATH_MAX] = {};
};

void read_loader(int fd, Program& program) {
  ElfW(Ehdr) header;
  static_assert(sizeof header <= sizeof program.head);
  memcpy(&header, program.head, sizeof header);
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phentsize != sizeof(ElfW(Phdr))) {
    return;
  }
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) segment;
    const off_t at = static_cast<off_t>(header.e_phoff) + static_cast<off_t>(i * sizeof segment);
    if (at < 0 || pread(fd, &segment, sizeof segment, at) != sizeof segment) return;
    if (segment.p_type != PT_INTERP) continue;
    if (segment.p_filesz == 0 || segment.p_filesz >= sizeof program.loader) return;
    if (pread(fd, program.loader, segment.p_filesz, static_cast<off_t>(segment.p_offset)) !=
        static_cast<ssize_t>(segment.p_filesz)) {
      program.loader[0] = '\0';
    }
    program.loader[segment.p_filesz] = '\0';
    return;
  }
}

Program read_program(const char* path) {
  Program program;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return program;  // execve(2) will say why
  if (pread(fd, program.head, sizeof program.head - 1, 0) > 0) read_loader(fd, program);
  close(fd);
  return program;
}

const char* library_path(const Place& place) {
  const char* multiarch[] = {"/usr/local/lib/", "/lib/", "/usr/lib/"};
  const char* plain[] = {"/usr/local/lib", "/lib64", "/usr/lib64", "/lib", "/usr/lib"};
  const char* list = "";
  const auto add = [&](const char* inside) {
    struct stat status;
    const char* directory = find(place, inside);
    if (directory == nullptr || stat(directory, &status) != 0 || !S_ISDIR(status.st_mode)) return;
    list = join(list, *list != '\0' ? ":" : "", directory);
  };
  for (const char* directory : multiarch) add(join(directory, kTriplet));
  for (const char* directory : plain) add(directory);
  return list;
}

[[noreturn]] void execute(const char* path, const Words& argv, const Words& environment) {
  execve(path, argv.argv(), environment.argv());
  const int code = errno;
  const bool missing = code == ENOENT || code == ENOTDIR;
  fail({kRun, path, nullptr, code, nullptr, missing ? 127 : 126});
}

// `argv[0]` is to become `path`, an ELF program of the image: through the
// image's own loader where it has one.
[[noreturn]] void run_binary(const Place& place, const char* path, const char* loader,
                             const Words& argv, const Words& environment) {
  Words line;
  const char* own = *loader == '/' ? find(place, loader) : nullptr;
  if (own != nullptr) {
    line.add(own);
    line.add("--library-path");
    line.add(library_path(place));
  } else if (*loader != '\0' && access(loader, X_OK) != 0) {
    fail({kRun, path, join("its dynamic loader ", loader, " is neither in the image nor here"), 0,
          nullptr, 126});
  }
  // The loader takes the program's name from its path.
  line.add(own != nullptr ? path : join(place.path, argv[0]));
  line.add_all(argv.begin() + 1);
  execute(own != nullptr ? own : path, line, environment);
}

// A script: "#!INTERPRETER [ARGUMENT]", as execve(2) reads it.
[[noreturn]] void run_script(const Place& place, const char* path, char* head, const Words& argv,
                             const Words& environment) {
  head[strcspn(head, "\n")] = '\0';
  char* interpreter = head + 2 + strspn(head + 2, " \t");
  char* argument = interpreter + strcspn(interpreter, " \t");
  if (*argument != '\0') {
    *argument++ = '\0';
    argument += strspn(argument, " \t");
    for (size_t end = strlen(argument); end > 0 && strchr(" \t", argument[end - 1]); --end) {
      argument[end - 1] = '\0';
    }
  }
  const char* own = *interpreter == '/' ? find(place, interpreter) : nullptr;
  if (own == nullptr && access(interpreter, X_OK) != 0) {
    fail({kRun, path, join("its interpreter ", interpreter, " is neither in the image nor here"), 0,
          nullptr, 126});
  }
  Words line;
  line.add(interpreter);
  if (*argument != '\0') line.add(argument);
  line.add(path);
  line.add_all(argv.begin() + 1);
  if (own == nullptr) execute(interpreter, line, environment);
  run_binary(place, own, read_program(own).loader, line, environment);
}

// The tool's helpers are looked for in the image first: the directories of the
// policy's PATH, or the usual ones, then the caller's.
const char* search_path(const Place& place, const char* wanted, const char* callers) {
  const char* inside = *wanted != '\0' ? wanted : "/usr/local/bin:/usr/bin:/bin";
  const char* list = "PATH=";
  while (*inside != '\0') {
    const size_t length = strcspn(inside, ":");
    if (*inside == '/') list = join(join(list, place.path), copy(inside, length), ":");
    inside += length + (inside[length] == ':' ? 1 : 0);
  }
  return join(list, *callers != '\0' ? callers : "/usr/local/bin:/usr/bin:/bin");
}

}  // namespace

void run_in_place(const Place& place, const Words& argv, Words environment, const Words& added) {
  const char* path = find(place, argv[0]);
  if (path == nullptr) {
    const int code = errno;
    fail({kRun, join(place.path, argv[0]),
          code == ENOENT ? "the image has no such program" : nullptr, code, nullptr,
          code == ENOENT || code == ENOTDIR ? 127 : 126});
  }
  const char* search = search_path(place, variable(added, "PATH"), variable(environment, "PATH"));
  for (const char* entry : added) set_variable(environment, entry);
  set_variable(environment, search);
  if (*variable(environment, "APPDIR") == '\0') {
    set_variable(environment, join("APPDIR=", place.path));
  }
  // Set by the launcher's --no-isolation, which has said it already.
  if (*variable(environment, "ROOTLET_IN_PLACE") == '\0') {
    print(STDERR_FILENO,
          join("rootlet: run in place: ", place.path,
               ": absolute paths inside the image may not work; run the file itself, or "
               "`rootlet run` it, for a root of its own\n"));
  }
  Program program = read_program(path);
  if (program.head[0] == '#' && program.head[1] == '!') {
    run_script(place, path, program.head, argv, environment);
  }
  run_binary(place, path, program.loader, argv, environment);
}

}  // namespace apprun
