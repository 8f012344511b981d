// SPDX-License-Identifier: MIT
// Does known things, for the tests of `rootlet learn`: each word is one of them.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

extern char** environ;

static void say(const char* what, long result) {
  printf("%s %s\n", what, result < 0 ? strerrorname_np(errno) : "ok");
  fflush(stdout);
}

static int touch(const char* path, int flags) {
  const int fd = open(path, flags, 0644);
  if (fd >= 0) close(fd);
  return fd;
}

static void files(void) {
  say("read", touch("/opt/data/one", O_RDONLY));
  say("link", touch("/opt/data/link", O_RDONLY));
  say("missing", touch("/opt/data/missing", O_RDONLY));
  say("image", touch("/opt/data/one", O_WRONLY));
  say("image-new", touch("/opt/data/new", O_WRONLY | O_CREAT));
  say("closed", touch("closed.txt", O_RDONLY));
  say("out", touch("out.txt", O_WRONLY | O_CREAT));
  say("passing", touch("passing.txt", O_WRONLY | O_CREAT));
  say("gone", unlink("passing.txt"));
  say("scratch", touch("/tmp/scratch.123", O_RDWR | O_CREAT));
  say("mkdir", mkdir("/tmp/d", 0700));
  DIR* list = opendir("/opt/data");
  say("list", list == NULL ? -1 : 0);
  if (list != NULL) closedir(list);
  struct stat status;
  say("stat", stat("/opt/data/two", &status));
}

static void network(void) {
  const int tcp = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in far = {.sin_family = AF_INET, .sin_port = htons(80)};
  inet_pton(AF_INET, "192.0.2.1", &far.sin_addr);
  say("far", connect(tcp, (struct sockaddr*)&far, sizeof far));
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in near = {.sin_family = AF_INET, .sin_port = htons(4711)};
  near.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  say("bind", bind(server, (struct sockaddr*)&near, sizeof near));
  say("listen", listen(server, 1));
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  say("near", connect(client, (struct sockaddr*)&near, sizeof near));
  struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0nobody"};
  say("unix", connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr*)&name, 9));
  say("packet", socket(AF_PACKET, SOCK_RAW, 0));
}

static void calls(void) {
  struct termios terminal;
  say("ioctl", ioctl(0, TCGETS, &terminal));
  say("name", prctl(PR_SET_NAME, "known", 0, 0, 0));
  say("kill", kill(getpid(), 0));
  say("parent", kill(getppid(), 0));
  say("key", syscall(SYS_add_key, "user", "a", "b", 1, -3));
  say("uring", syscall(SYS_io_uring_setup, 1, NULL));
  say("mount", mount("none", "/opt", "tmpfs", 0, NULL));
  void* code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  say("exec-memory", code == MAP_FAILED ? -1 : 0);
}

static void programs(void) {
  char* nobody[] = {"nobody", NULL};
  say("no-program", execve("/opt/nobody", nobody, environ));
  char* script[] = {"script", NULL};
  if (fork() == 0) _exit(execve("/opt/script", script, environ));
  wait(NULL);
  char* quiet[] = {"true", NULL};
  if (vfork() == 0) _exit(execve("/bin/true", quiet, environ));
  wait(NULL);
}

static void* open_many(void* name) {
  for (int i = 0; i < 50; ++i) touch(name, O_RDONLY);
  return NULL;
}

static void* execute(void* unused) {
  char* words[] = {"learn", "done", NULL};
  execve("/bin/learn", words, environ);
  return unused;
}

static void threads(void) {
  pthread_t all[8], last;
  for (int i = 0; i < 8; ++i) pthread_create(&all[i], NULL, open_many, "/opt/data/two");
  for (int i = 0; i < 8; ++i) pthread_join(all[i], NULL);
  pthread_create(&last, NULL, execute, NULL);
  pthread_join(last, NULL);
}

static volatile int ticks;
static void tick(int unused) { ticks += unused != 0; }

// Calls that never end with EINTR must not do so because somebody watches.
static void signals(void) {
  struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  const struct itimerval often = {{0, 500}, {0, 500}};
  setitimer(ITIMER_REAL, &often, NULL);
  int failed = 0;
  for (int i = 0; i < 3000; ++i) failed += touch("/opt/data/one", O_RDONLY) < 0;
  printf("failed %d, ticks %s\n", failed, ticks > 10 ? "many" : "few");
}

// More names than a recording has room for, then one that it has.
static void endless(void) {
  char name[64];
  for (int i = 0; i < 30100; i++) {
    snprintf(name, sizeof name, "/opt/data/no%d", i);
    access(name, F_OK);
  }
  puts("all asked");
}

static void door32(void) {
  long result = 20;  // getpid
  __asm__ volatile("int $0x80" : "+a"(result));
  printf("went through: %ld\n", result);
}

static void own_filter(void) {
  struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog program = {1, &allow};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  say("filter", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
  say("listener", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                          &program));
}

static void traced(void) {
  const pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    touch("/opt/data/two", O_RDONLY);
    _exit(7);
  }
  int status = 0;
  waitpid(child, &status, 0);
  say("stopped", WIFSTOPPED(status) ? 0 : -1);
  ptrace(PTRACE_CONT, child, NULL, NULL);
  waitpid(child, &status, 0);
  printf("ended %d\n", WEXITSTATUS(status));
}

static void many(void) {
  char path[64];
  for (int i = 0; i < 20; ++i) {
    snprintf(path, sizeof path, "/opt/many/%02d", i);
    touch(path, O_RDONLY);
  }
  for (int i = 0; i < 15; ++i) {
    snprintf(path, sizeof path, "/opt/few/%02d", i);
    touch(path, O_RDONLY);
  }
}

static void hostile(void) {
  mkdir("<", 0755);
  mkdir("</script><script>document.title='hit'<", 0755);
  say("hostile", touch("</script><script>document.title='hit'</script>\n\"'\t", O_CREAT | O_WRONLY));
  say("bytes", touch("b\xff", O_CREAT | O_WRONLY));
  say("line", touch("a\nb", O_CREAT | O_WRONLY));
}

static void loop(long times) {
  for (long i = 0; i < times; ++i) syscall(SYS_getppid);
}

int main(int argc, char** argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (int i = 1; i < argc; ++i) {
    const char* word = argv[i];
    if (!strcmp(word, "files")) files();
    if (!strcmp(word, "network")) network();
    if (!strcmp(word, "calls")) calls();
    if (!strcmp(word, "programs")) programs();
    if (!strcmp(word, "threads")) threads();
    if (!strcmp(word, "signals")) signals();
    if (!strcmp(word, "door32")) door32();
    if (!strcmp(word, "filter")) own_filter();
    if (!strcmp(word, "traced")) traced();
    if (!strcmp(word, "many")) many();
    if (!strcmp(word, "hostile")) hostile();
    if (!strcmp(word, "endless")) endless();
    if (!strcmp(word, "loop")) loop(20000);
    if (!strcmp(word, "done")) puts("done");
    if (!strcmp(word, "seven")) return 7;
    if (!strcmp(word, "abort")) raise(SIGKILL);
    if (!strcmp(word, "wait")) {
      puts("waiting");
      fflush(stdout);
      for (;;) pause();
    }
  }
  return 0;
}
