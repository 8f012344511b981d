// SPDX-License-Identifier: MIT
// The tool inside the test images: does what it is told and reports in lines.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int number(const char* text) { return text ? atoi(text) : 0; }

static void say(const char* text) {
  if (write(1, text, strlen(text)) < 0) _exit(99);
}

// "NAME: ok" or "NAME: ERRNO".
static void report(const char* name, long result) {
  const int code = errno;
  printf("%s: %s\n", name, result >= 0 ? "ok" : strerrorname_np(code));
}

static uint64_t fnv(uint64_t hash, const unsigned char* bytes, size_t count) {
  for (size_t i = 0; i < count; ++i) hash = (hash ^ bytes[i]) * 1099511628211u;
  return hash;
}

// --- how it ends -----------------------------------------------------------

static int die(int signal_number) {
  struct rlimit core;
  getrlimit(RLIMIT_CORE, &core);
  core.rlim_cur = 0;  // a core that is found later is not the tool's
  if (getenv("PROBE_NO_CORE")) setrlimit(RLIMIT_CORE, &core);
  signal(signal_number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  kill(getpid(), signal_number);
  for (int i = 0; i < 50; ++i) usleep(10000);
  return 77;  // the signal did not end us
}

// --- what reaches it -------------------------------------------------------

static int print_arguments(int count, char** arguments) {
  for (int i = 0; i < count; ++i) {
    for (const char* c = arguments[i]; *c; ++c) printf("%02x", (unsigned char)*c);
    printf(".\n");
  }
  return 0;
}

static int sum_arguments(int count, char** arguments) {
  uint64_t hash = 14695981039346656037u;
  for (int i = 0; i < count; ++i) {
    hash = fnv(hash, (unsigned char*)arguments[i], strlen(arguments[i]) + 1);
  }
  printf("%d %016llx\n", count, (unsigned long long)hash);
  return 0;
}

static void on_signal(int number_) {
  char line[32];
  const int length = snprintf(line, sizeof line, "got %d\n", number_);
  if (write(1, line, (size_t)length) < 0) _exit(99);
}

// Reports each of the signals named; ends when 'q' is typed or stdin ends.
static int catch_signals(int count, char** names) {
  for (int i = 0; i < count; ++i) {
    struct sigaction action = {.sa_handler = on_signal};
    sigfillset(&action.sa_mask);
    sigaction(number(names[i]), &action, NULL);
  }
  say("ready\n");
  for (;;) {
    struct pollfd in = {0, POLLIN, 0};
    if (poll(&in, 1, -1) < 0) continue;
    char c;
    const ssize_t got = read(0, &c, 1);
    if (got == 0 || (got == 1 && c == 'q')) return 0;
    if (got < 0 && errno != EINTR) return 98;
  }
}

_Noreturn static void wait_forever(void) {
  say("ready\n");
  for (;;) pause();
}

static int window(void) {
  struct winsize size = {0};
  ioctl(0, TIOCGWINSZ, &size);
  printf("%d x %d\n", size.ws_row, size.ws_col);
  return 0;
}

// --- files and descriptors -------------------------------------------------

static int read_file(const char* path, int times) {
  unsigned char buffer[1 << 16];
  for (int i = 0; i < times; ++i) {
    const int fd = open(path, O_RDONLY);
    if (fd < 0) return 90;
    if (getenv("PROBE_DROP")) posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    uint64_t hash = 14695981039346656037u, size = 0;
    ssize_t got;
    while ((got = read(fd, buffer, sizeof buffer)) > 0) {
      hash = fnv(hash, buffer, (size_t)got);
      size += (uint64_t)got;
    }
    if (got < 0) return 91;
    close(fd);
    printf("%llu %016llx\n", (unsigned long long)size, (unsigned long long)hash);
    fflush(stdout);
  }
  return 0;
}

static int copy_input(void) {
  static char buffer[1 << 18];
  ssize_t got;
  while ((got = read(0, buffer, sizeof buffer)) > 0) {
    for (ssize_t done = 0; done < got;) {
      const ssize_t put = write(1, buffer + done, (size_t)(got - done));
      if (put < 0) return 92;
      done += put;
    }
  }
  return got < 0 ? 93 : 0;
}

static int list_descriptors(void) {
  char line[4096];
  size_t at = 0;
  for (int fd = 0; fd < 4096; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0 && at < 4000) at += (size_t)sprintf(line + at, "%d ", fd);
  }
  const char* path = getenv("PROBE_REPORT");  // stdout may be closed
  const int out = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644) : 1;
  return write(out, line, at) < 0 ? 94 : 0;
}

// Leaves a child behind that holds stdout and stderr.
static int leave_child(void) {
  if (fork() == 0) {
    setsid();
    for (;;) pause();
  }
  say("left\n");
  return 0;
}

// --- network ---------------------------------------------------------------

static int tcp(const char* name, int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  report(name, connect(fd, (struct sockaddr*)&to, sizeof to));
  return 0;
}

static int own_loopback(void) {
  struct sockaddr_in at = {.sin_family = AF_INET};
  socklen_t size = sizeof at;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(fd, (struct sockaddr*)&at, size) < 0 || listen(fd, 1) < 0) return 95;
  getsockname(fd, (struct sockaddr*)&at, &size);
  return tcp("loopback", ntohs(at.sin_port));
}

static int abstract(const char* name) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  memcpy(to.sun_path + 1, name, strlen(name));
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  report("abstract", connect(fd, (struct sockaddr*)&to,
                             (socklen_t)(sizeof(sa_family_t) + 1 + strlen(name))));
  return 0;
}

// --- what must be denied ---------------------------------------------------

static void try_open(const char* path, int flags) {
  const int fd = open(path, flags);
  report(path, fd);
  if (fd >= 0) close(fd);
}

static int reach_init(void) {
  const char* names[] = {"exe", "cwd", "root", "fd", "environ", "maps", "mem", "ns/mnt"};
  char path[64], target[256];
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
    snprintf(path, sizeof path, "/proc/1/%s", names[i]);
    errno = 0;
    const ssize_t got = readlink(path, target, sizeof target);
    if (got < 0 && errno == EINVAL) try_open(path, O_RDONLY);
    else report(path, got);
  }
  report("ptrace", ptrace(PTRACE_SEIZE, 1, 0, 0));
  report("pidfd_getfd", syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, 1, 0), 3, 0));
  kill(1, SIGKILL);
  kill(1, SIGSTOP);
  kill(1, SIGTERM);
  report("still here", 0);
  return 0;
}

static void change_mounts(const char* where) {
  char name[64];
#define TRY_IT(text, call) snprintf(name, sizeof name, "%s %s", where, text), report(name, call)
  TRY_IT("remount", mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
  TRY_IT("umount", umount2("/proc", MNT_DETACH));
  TRY_IT("tmpfs", mount("x", "/opt", "tmpfs", 0, NULL));
  TRY_IT("write", open("/opt/foo/written", O_CREAT | O_WRONLY, 0644));
  TRY_IT("sysctl", open("/proc/sys/kernel/core_pattern", O_WRONLY));
#undef TRY_IT
}

static int break_out(void) {
  change_mounts("own");
  report("sethostname", sethostname("broken", 6));
  report("chroot", chroot("/opt"));
  report("keyctl", syscall(SYS_keyctl, 0, -3, 1));
  report("TIOCSTI", ioctl(0, TIOCSTI, "x"));
  report("TIOCSTI high", syscall(SYS_ioctl, 0, TIOCSTI | (1ul << 32), "x"));
  report("AF_ALG", socket(AF_ALG, SOCK_SEQPACKET, 0));
  fflush(stdout);
  if (fork() == 0) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) change_mounts("nested");
    else report("nested unshare", -1);
    fflush(stdout);
    // A remount that seemed to work shows here.
    report("nested write", open("/opt/foo/written", O_CREAT | O_WRONLY, 0644));
    fflush(stdout);
    _exit(0);
  }
  wait(NULL);
  return 0;
}

// 42 where the tool has no privilege and does not see the host's file, else 43.
static int is_isolated(const char* host_file) {
  static char status[8192];
  const int fd = open("/proc/self/status", O_RDONLY);
  if (fd < 0 || read(fd, status, sizeof status - 1) <= 0) return 97;
  const char* zero[] = {"CapEff:\t0000000000000000", "CapPrm:\t0000000000000000",
                        "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"};
  for (size_t i = 0; i < sizeof zero / sizeof *zero; ++i) {
    if (strstr(status, zero[i]) == NULL) return 43;
  }
  return access(host_file, F_OK) == 0 ? 43 : 42;
}

static int fill(const char* path) {
  static char block[1 << 16];
  const int fd = open(path, O_CREAT | O_WRONLY, 0600);
  if (fd < 0) return 96;
  size_t written = 0;
  ssize_t put = 0;
  while (written < (64u << 20) && (put = write(fd, block, sizeof block)) > 0) written += (size_t)put;
  report("fill", put);
  printf("%zu\n", written);
  return 0;
}

// SOCK_STREAM or SOCK_DGRAM, ADDRESS PORT TEXT: says the text, and what is answered.
static int ask(int kind, char** arguments) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number(arguments[1]))};
  inet_pton(AF_INET, arguments[0], &to.sin_addr);
  int fd = socket(AF_INET, kind, 0);
  struct timeval longest = {.tv_sec = 2};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
  char answer[256];
  if (connect(fd, (struct sockaddr*)&to, sizeof to) != 0) return report("connect", -1), 1;
  send(fd, arguments[2], strlen(arguments[2]), MSG_NOSIGNAL);
  ssize_t got = recv(fd, answer, sizeof answer - 1, 0);
  if (got < 0) return report("answer", -1), 1;
  answer[got] = 0;
  return printf("%s\n", answer), 0;
}

// listen PORT TEXT: to one who connects.
static int listen_once(char** arguments) {
  struct sockaddr_in here = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)number(arguments[0]))};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(fd, (struct sockaddr*)&here, sizeof here) != 0 || listen(fd, 1) != 0) return 1;
  printf("listens\n");
  fflush(stdout);
  int one = accept(fd, NULL, NULL);
  return send(one, arguments[1], strlen(arguments[1]), MSG_NOSIGNAL) < 0;
}

// become UID GID PROGRAM [ARGUMENT]...
static int become(char** arguments) {
  if (setgid((gid_t)number(arguments[1])) != 0 || setuid((uid_t)number(arguments[0])) != 0) {
    perror("become");
    return 1;
  }
  execvp(arguments[2], arguments + 2);
  return 127;
}

// --- what it takes ---------------------------------------------------------

// Memory, until it has so many MiB.
static int hog(int mib) {
  for (int i = 0; i < mib; ++i) {
    void* part = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (part == MAP_FAILED) return report("hog", -1), 1;
    memset(part, 1, 1 << 20);
    if (getenv("PROBE_SLOW")) usleep(5000);
  }
  say("full\n");
  return 0;
}

// Processes that wait, until there are so many or no more can be started.
static int start_processes(int most) {
  int made = 0;
  pid_t child = 0;
  for (; made < most && (child = fork()) >= 0; ++made) {
    if (child == 0) for (;;) pause();
  }
  report("fork", child);
  printf("%d\n", made);
  return 0;
}

_Noreturn static void bomb(void) {
  say("ready\n");
  for (;;) if (fork() < 0) usleep(1000);
}

// Spins in so many processes for so many milliseconds; how much time they got.
static int burn(int processes, int milliseconds) {
  for (int i = 0; i < processes; ++i) {
    if (fork() != 0) continue;
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 <
           milliseconds);
    _exit(0);
  }
  while (wait(NULL) > 0) {}
  struct rusage used;
  getrusage(RUSAGE_CHILDREN, &used);
  printf("%ld\n", (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
                      (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000);
  return 0;
}

// Reads a directory from places where no entry begins.
static int seek_in(const char* path) {
  for (long at = 1; at < 5000; at += 7) {
    char buffer[4096];
    int fd = open(path, O_RDONLY | O_DIRECTORY);
    if (fd < 0 || lseek(fd, at, SEEK_SET) != at) return 1;
    if (syscall(SYS_getdents64, fd, buffer, sizeof buffer) < 0 && errno != EINVAL) return 2;
    close(fd);
  }
  return 0;
}

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "args";
  const char* value = argc > 2 ? argv[2] : NULL;
#define IS(name) (strcmp(what, name) == 0)
  if (IS("exit")) return number(value);
  if (IS("die")) return die(number(value));
  if (IS("args")) return print_arguments(argc - 2, argv + 2);
  if (IS("raw")) return print_arguments(argc - 1, argv + 1);
  if (IS("sum")) return sum_arguments(argc - 2, argv + 2);
  if (IS("say")) return say(value ? value : ""), 0;
  if (IS("catch")) return catch_signals(argc - 2, argv + 2);
  if (IS("wait")) wait_forever();
  if (IS("window")) return window();
  if (IS("read")) return read_file(value, argc > 3 ? number(argv[3]) : 1);
  if (IS("copy")) return copy_input();
  if (IS("fds")) return list_descriptors();
  if (IS("leave")) return leave_child();
  if (IS("loopback")) return own_loopback();
  if (IS("tcp")) return tcp("tcp", number(value));
  if (IS("abstract")) return abstract(value);
  if (IS("init")) return reach_init();
  if (IS("break")) return break_out();
  if (IS("kill")) return report("kill", kill(number(value), argc > 3 ? number(argv[3]) : SIGKILL)), 0;
  if (IS("isolated")) return is_isolated(value);
  if (IS("fill")) return fill(value);
  if (IS("tcp-ask") && argc > 4) return ask(SOCK_STREAM, argv + 2);
  if (IS("udp-ask") && argc > 4) return ask(SOCK_DGRAM, argv + 2);
  if (IS("listen") && argc > 3) return listen_once(argv + 2);
  if (IS("ids")) return printf("%d:%d\n", (int)geteuid(), (int)getegid()), 0;
  if (IS("become") && argc > 4) return become(argv + 2);
  if (IS("seek")) return seek_in(value);
  if (IS("hog")) return hog(number(value));
  if (IS("forks")) return start_processes(number(value));
  if (IS("bomb")) bomb();
  if (IS("burn")) return burn(number(value), number(argv[3]));
  // Called with something that is no command: tell what arrived.
  return print_arguments(argc - 1, argv + 1);
}
