// SPDX-License-Identifier: MIT
// On init, the launcher, the server, and whoever else can be named.
#include <dirent.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>

#include "attacks.h"

static int number(const char* text) { return text ? atoi(text) : 0; }

// Descriptors beyond 2, and a way up from those that are directories.
static int descriptors(int count, char** words) {
  const char* secret = count > 0 ? words[0] : "secret";
  char name[64], target[512];
  int found = 0;
  for (int fd = 3; fd < 4096; ++fd) {
    if (fcntl(fd, F_GETFD) < 0) continue;
    found = 1;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(name, target, sizeof target - 1);
    target[length > 0 ? length : 0] = 0;
    tell(1, name, target);
    const int up = openat(fd, "..", O_PATH | O_DIRECTORY);
    if (up >= 0) tell(openat(up, secret, O_RDONLY) >= 0, "the secret beside it", "looked");
  }
  if (!found) tell(0, "descriptors", "none");
  return 0;
}

static int same(const char* one, const char* other) {
  struct stat a, b;
  return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// Where the current directory is, and what lies above it.
static int directory(int count, char** words) {
  char here[4096] = "", up[200] = ".", path[512];
  if (syscall(SYS_getcwd, here, sizeof here) < 0) strcpy(here, "none");
  tell(here[0] != '/', "getcwd", here);
  for (int i = 0; i < 40; ++i) strcat(up, "/..");
  tell(!same(up, "/"), "the top of it", same(up, "/") ? "our root" : "not our root");
  for (int i = 0; i < count; ++i) {  // names of a secret, from the host's root
    snprintf(path, sizeof path, "%s%s", up, words[i]);
    must_fail("the secret above it", open(path, O_RDONLY));
  }
  return 0;
}

// Overwriting the program that started us, as runc let it (CVE-2019-5736).
static int executable(int count, char** words) {
  (void)count, (void)words;
  char parent[64];
  snprintf(parent, sizeof parent, "/proc/%d/exe", getppid());
  const char* names[] = {"/proc/1/exe", parent};
  for (int i = 0; i < 2; ++i) {
    must_fail(names[i], open(names[i], O_RDONLY));
    must_fail(names[i], open(names[i], O_PATH));
    must_fail(names[i], open(names[i], O_RDWR));
  }
  must_fail("/proc/self/exe", open("/proc/self/exe", O_RDWR));
  return 0;
}

// Paths of the host in what PID 1, or the parent, shows of itself.
static int disclosure(int count, char** words) {
  const int pid = count > 0 && strcmp(words[0], "parent") == 0 ? getppid() : 1;
  const char* links[] = {"exe", "cwd", "root"};
  const char* files[] = {"environ", "maps", "mem", "cmdline"};
  char path[64], target[512];
  for (int i = 0; i < 3; ++i) {
    snprintf(path, sizeof path, "/proc/%d/%s", pid, links[i]);
    must_fail(path, readlink(path, target, sizeof target));
  }
  for (int i = 0; i < 4; ++i) {
    snprintf(path, sizeof path, "/proc/%d/%s", pid, files[i]);
    tell(strchr(first_bytes(path), '/') != NULL, path, first_bytes(path));
  }
  return 0;
}

// Every signal to everyone that has a number, then a look whether all stands.
static int kill_all(int count, char** words) {
  const int own = getpid();
  signal(SIGTERM, SIG_IGN);
  for (int pid = 1; pid < 3000; ++pid) {
    if (pid == own) continue;
    kill(pid, SIGSTOP), kill(pid, SIGTERM), kill(pid, SIGKILL);
  }
  kill(-1, SIGKILL);
  kill(getppid(), SIGKILL);
  const int fd = open(count > 0 ? words[0] : "/nowhere", O_RDONLY);
  tell(fd < 0, "a file of the image after it", fd < 0 ? strerrorname_np(errno) : "there");
  return 0;
}

// Of the processes named: a signal, a trace, memory, descriptors.
static int reach(int count, char** words) {
  char text[64], byte;
  for (int i = 0; i < count; ++i) {
    const int pid = strcmp(words[i], "parent") == 0 ? getppid() : number(words[i]);
    snprintf(text, sizeof text, "trace %s", words[i]);
    must_fail(text, ptrace(PTRACE_SEIZE, pid, 0, 0));
    struct iovec here = {&byte, 1}, there = {(void*)0x400000, 1};
    errno = 0;
    const ssize_t got = process_vm_readv(pid, &here, 1, &there, 1, 0);
    snprintf(text, sizeof text, "memory of %s", words[i]);
    tell(got > 0 || errno == EFAULT, text, got > 0 ? "read" : strerrorname_np(errno));
    const int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    snprintf(text, sizeof text, "descriptors of %s", words[i]);
    must_fail(text, syscall(SYS_pidfd_getfd, pidfd, 0, 0));
    if (pid == 1) continue;  // a signal to init is accepted, and without effect
    snprintf(text, sizeof text, "signal %s", words[i]);
    must_fail(text, kill(pid, 0));
  }
  return 0;
}

static int children(int limit) {
  static pid_t made[512];
  int count = 0;
  while (count < limit && (made[count] = fork()) > 0) ++count;
  if (count < limit && made[count] == 0) {
    for (;;) pause();
  }
  for (int i = 0; i < count; ++i) kill(made[i], SIGKILL), waitpid(made[i], NULL, 0);
  return count;
}

// Starves what serves the image, within bounds of our own.
static int starve(int count, char** words) {
  const char* file = count > 0 ? words[0] : "/nowhere";
  mkdir("/tmp/control", 0700);
  must_fail("fusectl", mount("x", "/tmp/control", "fusectl", 0, NULL));
  must_fail("umount /", umount2("/", MNT_DETACH));
  must_fail("drop_caches", open("/proc/sys/vm/drop_caches", O_WRONLY));
  struct rlimit limit = {100, 100};
  setrlimit(RLIMIT_NPROC, &limit);
  children(300);
  limit.rlim_cur = limit.rlim_max = 64;
  setrlimit(RLIMIT_NOFILE, &limit);
  while (open(file, O_RDONLY) >= 0) continue;
  close(10);
  const int fd = open(file, O_RDONLY);
  posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  char byte;
  const int good = fd >= 0 && read(fd, &byte, 1) == 1;
  tell(!good, "a file of the image after it", good ? "there" : strerrorname_np(errno));
  return 0;
}

// A process that leaves the session and its parent, named by WORD.
static int daemon_left(int count, char** words) {
  if (fork() == 0) {
    setsid();
    if (fork() != 0) _exit(0);
    prctl(PR_SET_NAME, count > 0 ? words[0] : "left");
    for (int fd = 0; fd < 3; ++fd) close(fd);
    for (int i = 0; i < 60; ++i) sleep(1);
    _exit(0);
  }
  wait(NULL);
  usleep(50000);
  printf("ready\n");
  fflush(stdout);
  if (count > 1) pause();  // "stay"
  return 0;
}

const struct Named kProcesses[] = {
    {"descriptors", descriptors}, {"directory", directory}, {"executable", executable},
    {"disclosure", disclosure},   {"kill-all", kill_all},   {"reach", reach},
    {"starve", starve},           {"daemon", daemon_left},  {0, 0}};
