/* SPDX-License-Identifier: MIT */
/* What a tool does that was turned: as a program in the tool's place, and (built
 * with -DPRELOADED -shared) as a library in the unchanged tool, from before its
 * main(). Says of each attempt on stderr "attempt NAME: done" or why not.
 * Static data and plain calls alone: nothing of its own needs more than a tool. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *name, int done) {
  char line[128];
  int code = errno;
  int size = done ? snprintf(line, sizeof line, "attempt %s: done\n", name)
                  : snprintf(line, sizeof line, "attempt %s: %s\n", name, strerrorname_np(code));
  if (write(2, line, (size_t)size) < 0) _exit(99);
}

static const char *at_home(const char *name) {
  static char path[4096];
  snprintf(path, sizeof path, "%s/%s", getenv("HOME") ? getenv("HOME") : "/", name);
  return path;
}

static int read_key(void) {
  char text[64];
  int fd = open(at_home(".ssh/id_rsa"), O_RDONLY);
  return fd >= 0 && read(fd, text, sizeof text) > 0;
}

static int write_home(void) {
  int fd = open(at_home("planted"), O_WRONLY | O_CREAT, 0644);
  return fd >= 0 && write(fd, "x", 1) == 1;
}

static int connect_out(void) {
  const char *port = getenv("HOSTILE_PORT");
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port ? port : "9"))};
  inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  return fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
}

/* 0: the child was started and told so by its status. */
static int status_of(pid_t pid) {
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int start_shell(void) {
  pid_t pid = fork();
  if (pid == 0) {
    char *words[] = {"sh", "-c", "exit 42", NULL};
    execv("/bin/sh", words);
    _exit(errno & 127);
  }
  int status = status_of(pid);
  if (status > 0 && status != 42) errno = status;
  return status == 42;
}

static int trace(void) {
  pid_t pid = fork();
  if (pid == 0) {
    if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) _exit(errno & 127);
    _exit(42);
  }
  int status = status_of(pid);
  if (status > 0 && status != 42) errno = status;
  return status == 42;
}

/* mov $42, %eax; ret */
static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};

static int run_at(void *place) {
  int (*function)(void);
  memcpy(&function, &place, sizeof function);
  return function() == 42;
}

static int load_code(void) {
  void *place = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) return 0;
  memcpy(place, code, sizeof code);
  return mprotect(place, 4096, PROT_READ | PROT_EXEC) == 0 && run_at(place);
}

static int load_code_from_memory(void) {
  int fd = (int)syscall(SYS_memfd_create, "x", 0);
  if (fd < 0 || write(fd, code, sizeof code) != (ssize_t)sizeof code) return 0;
  void *place = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
  return place != MAP_FAILED && run_at(place);
}

static int load_writable_code(void) {
  void *place = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) return 0;
  memcpy(place, code, sizeof code);
  return run_at(place);
}


static void attack(void) {
  static const struct {
    const char *name;
    int (*does)(void);
  } all[] = {{"read-key", read_key},       {"write-home", write_home},
             {"connect", connect_out},     {"shell", start_shell},
             {"trace", trace},             {"load-code", load_code},
             {"load-memfd", load_code_from_memory}, {"load-writable", load_writable_code}};
  for (size_t i = 0; i < sizeof all / sizeof *all; ++i) {
    errno = 0;
    say(all[i].name, all[i].does());
  }
}

#ifdef PRELOADED
/* Once: not in what the tool starts. */
__attribute__((constructor)) static void begin(void) {
  if (getenv("HOSTILE_DONE") != NULL) return;
  setenv("HOSTILE_DONE", "1", 1);
  attack();
}
#else
int main(void) {
  attack();
  return 0;
}
#endif
