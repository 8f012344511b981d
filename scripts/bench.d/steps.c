// SPDX-License-Identifier: MIT
/* steps ROOT PROGRAM [ARGUMENT...]: what `rootlet run ROOT` asks of the kernel, and
 * nothing else.
 *
 * The same namespaces, mounts, filter, Landlock domain and rights, made by the same
 * three processes in the same order, as one straight line: no options, no policy, no
 * look at what is there, no message but what lets one go on when another is ready. What it takes is what a launcher with this
 * isolation cannot be quicker than. ROOT has all mount points (proc, dev, sys, tmp,
 * var/tmp, run, home, etc/passwd, etc/group).
 *
 * -m: no mounts but ROOT, /proc and $PWD, to see what the others cost.
 * -z BLOCKS: beside all of that one more process decodes these blocks (first_blocks.py),
 *     and PROGRAM waits for it: what no server of a compressed image does without.
 * -f: ROOT is a file that raw_tree.py made of the directory, shown by the least FUSE server
 *     (least_server.h): what no server of an image does without. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if.h>
#include <linux/securebits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

#include "least_server.h"

enum { filter_length = 194, capabilities = 41 };
static char cwd[4096];
static int few, decoded = -1, served = -1;

static void must(long result, const char *what) {
  if (result >= 0) return;
  fprintf(stderr, "steps: %s: %s\n", what, strerror(errno));
  _exit(125);
}

static void put(const char *path, const char *text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  must(fd, path);
  must(write(fd, text, strlen(text)), path);
  close(fd);
}

static void by_descriptor(int fd, char *path) { sprintf(path, "/proc/self/fd/%d", fd); }

static void show(int from, int to) {
  const int copy = (int)syscall(SYS_open_tree, from, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  must(copy, "bind");
  must(syscall(SYS_move_mount, copy, "", to, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH), "bind");
  close(copy);
}

/* The place of that name below the root, as it is now. */
static int place(int root, const char *path) {
  const int fd = openat(root, path[0] == '/' ? path + 1 : path, O_PATH | O_CLOEXEC);
  must(fd, path);
  return fd;
}

static void restrict_mount(int root, const char *path, unsigned long attributes, int private) {
  const int fd = place(root, path);
  struct mount_attr attr = {.attr_set = attributes, .propagation = private ? MS_PRIVATE : 0};
  must(syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr), path);
  close(fd);
}

static void mount_at(int root, const char *type, const char *path, unsigned long flags, const char *options) {
  char target[32];
  const int fd = place(root, path);
  by_descriptor(fd, target);
  must(mount("steps", target, type, flags, options), path);
  close(fd);
}

static void scratch(int root, int memory, const char *name, const char *path, mode_t mode) {
  must(mkdirat(memory, name, mode), name);
  const int from = openat(memory, name, O_PATH | O_CLOEXEC), to = place(root, path);
  show(from, to);
  close(from);
  close(to);
}

static void text(int root, int memory, const char *name, const char *path, const char *content) {
  const int fd = openat(memory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
  must(fd, name);
  must(write(fd, content, strlen(content)), name);
  close(fd);
  const int from = openat(memory, name, O_PATH | O_CLOEXEC), to = place(root, path);
  show(from, to);
  close(from);
  close(to);
  restrict_mount(root, path, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 1);
}

/* What the tool's process makes of /dev, beside init's own mounts. */
static void devices(int dev) {
  static const char *const nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};
  for (unsigned i = 0; i < sizeof nodes / sizeof *nodes; i++) {
    char path[32];
    snprintf(path, sizeof path, "/dev/%s", nodes[i]);
    const int host = open(path, O_PATH | O_CLOEXEC);
    must(mknodat(dev, nodes[i], S_IFREG | 0666, 0), path);
    const int target = openat(dev, nodes[i], O_PATH | O_CLOEXEC);
    show(host, target);
    close(host);
    close(target);
  }
  must(symlinkat("/proc/self/fd", dev, "fd"), "fd");
  must(symlinkat("/proc/self/fd/0", dev, "stdin"), "stdin");
  must(symlinkat("/proc/self/fd/1", dev, "stdout"), "stdout");
  must(symlinkat("/proc/self/fd/2", dev, "stderr"), "stderr");
  must(symlinkat("pts/ptmx", dev, "ptmx"), "ptmx");
  must(mkdirat(dev, "pts", 0755), "pts");
  mount_at(dev, "devpts", "pts", MS_NOSUID | MS_NOEXEC, "ptmxmode=0666,mode=620");
}

/* As long as ours, and each call passes all of it once. */
static void filter(void) {
  static struct sock_filter code[filter_length];
  code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
  for (int i = 1; i < filter_length - 2; i++) {
    code[i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1000 + i, (filter_length - 2 - i), 0);
  }
  code[filter_length - 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  code[filter_length - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  const struct sock_fprog program = {filter_length, code};
  must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "filter");
}

static void no_rights(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
  must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "ambient");
  must(syscall(SYS_capset, &header, none), "capset");
}

static void become_tool(int channel, char **command) {
  const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                             SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                             SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
  must(unshare(CLONE_NEWNET), "network namespace");
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  must(ioctl(fd, SIOCSIFFLAGS, &lo), "lo");
  close(fd);
  if (!few) {
    int handed[2];
    must(take(channel, handed, 2), "channel");
    devices(handed[1]);
    const int program = served < 0 ? -1 : openat(handed[0], command[0] + 1, O_RDONLY | O_CLOEXEC);
    if (program >= 0) readahead(program, 0, most_of_an_answer);
  }
  must(write(channel, "n", 1), "channel");
  const struct {
    unsigned long long fs, net, scoped;
  } rules = {0, 0, 2};
  const int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
  if (ruleset >= 0) {  /* Linux 6.12 */
    must(syscall(SYS_landlock_restrict_self, ruleset, 0), "Landlock");
    close(ruleset);
  }
  filter();
  must(prctl(PR_SET_SECUREBITS, bits, 0, 0, 0), "secure bits");
  for (int i = 0; i < capabilities; i++) prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
  no_rights();
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
  char go;
  must(read(channel, &go, 1), "channel");
  must(chdir("/"), "/");
  must(chdir(cwd), cwd);
  execv(command[0], command);
  must(-1, command[0]);
}

static void furnish(int root, int memory, int here, int zone, int channel) {
  scratch(root, memory, "dev", "dev", 0755);
  const int dev = place(root, "dev");
  const int handed[2] = {root, dev};
  must(hand_over(channel, handed, 2), "channel");
  must(mkdirat(dev, "shm", 0755), "shm");
  close(dev);
  scratch(root, memory, "shm", "dev/shm", 01777);
  scratch(root, memory, "tmp", "tmp", 01777);
  scratch(root, memory, "var", "var/tmp", 01777);
  scratch(root, memory, "run", "run", 0755);
  scratch(root, memory, "home", "home", 0755);
  text(root, memory, "passwd", "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
  text(root, memory, "group", "etc/group", "root:x:0:\n");
  const int clock = openat(root, "etc/localtime", O_PATH | O_CLOEXEC);
  if (zone >= 0 && clock >= 0) {
    show(zone, clock);
    close(clock);
    restrict_mount(root, "etc/localtime", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 1);
  }
  for (char *end = strchr(cwd + 1, '/');; end = strchr(end + 1, '/')) {
    if (end) *end = 0;
    mkdirat(root, cwd + 1, 0755);
    if (!end) break;
    *end = '/';
  }
  const int to = place(root, cwd);
  show(here, to);
  close(to);
  restrict_mount(root, cwd, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0);
}

/* All names of the top and their attributes by one question. */
static void list_top(void) {
  static char entries[16 << 10];
  const int top = open("/..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  must(syscall(SYS_getdents64, top, entries, sizeof entries), "list the top");
  close(top);
}

static void run_init(const char *directory, char **command, unsigned uid, unsigned gid) {
  char line[64];
  must(prctl(PR_SET_PDEATHSIG, SIGKILL), "pdeathsig");
  sprintf(line, "%u %u 1\n", uid, uid);
  put("/proc/self/uid_map", line);
  put("/proc/self/setgroups", "deny");
  sprintf(line, "%u %u 1\n", gid, gid);
  put("/proc/self/gid_map", line);
  put("/proc/sys/user/max_cgroup_namespaces", "0");
  must(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "slave");
  int channel[2];
  must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel), "channel");
  int pidfd = -1;
  const long tool = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &pidfd, NULL, NULL);
  must(tool, "fork");
  if (tool == 0) become_tool(channel[1], command);
  cpu_set_t everywhere;
  sched_getaffinity(0, sizeof everywhere, &everywhere);
  if (served >= 0) stay_here();
  umask(0);
  const int zone = open("/etc/localtime", O_PATH | O_CLOEXEC);
  const int here = open("/proc/self/cwd", O_PATH | O_CLOEXEC);
  if (served >= 0) must(mount_raw_tree(served, "/", uid, gid), "served root");
  if (served < 0) must(mount(directory, "/", NULL, MS_BIND | MS_REC, NULL), "root");
  const int root = open("/..", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (served >= 0) list_top();
  struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
                                 .propagation = MS_PRIVATE};
  must(syscall(SYS_mount_setattr, root, "", AT_EMPTY_PATH | AT_RECURSIVE, &read_only, sizeof read_only), "root");
  mount_at(root, "tmpfs", "dev", MS_NOSUID | MS_NODEV, "mode=700,size=25%");
  const int memory = place(root, "dev");
  mount_at(root, "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "");
  if (!few) furnish(root, memory, here, zone, channel[0]);
  char ready;
  must(read(channel[0], &ready, 1), "tool");
  must(setns(pidfd, CLONE_NEWNET), "setns");
  if (!few) mount_at(root, "sysfs", "sys", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "");
  must(fchdir(root), "root");
  must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
  must(umount2(".", MNT_DETACH), "old root");
  must(chdir("/"), "/");
  must(prctl(PR_SET_DUMPABLE, 0), "dumpable");
  if (decoded >= 0) must(read(decoded, &ready, 1) == 1 ? 0 : -1, "decoder");
  if (served >= 0) sched_setaffinity(0, sizeof everywhere, &everywhere);
  must(write(channel[0], "g", 1), "tool");
  no_rights();
  int status = 0;
  must(waitpid((pid_t)tool, &status, 0), "wait");
  _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 126);
}

/* A descriptor that ends when the blocks are decoded. Each is SIZE, STORED (4 bytes each) and a zstd frame. */
static int decode_beside(const char *path) {
  int end[2];
  must(pipe2(end, O_CLOEXEC), "pipe");
  const pid_t decoder = fork();
  must(decoder, "fork");
  if (decoder == 0) {
    enum { block = 128 << 10 };
    static char in[block], out[block];
    unsigned size[2];
    ZSTD_DCtx *context = ZSTD_createDCtx();
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    must(file, path);
    while (read(file, size, sizeof size) == sizeof size) {
      must(size[1] <= block && read(file, in, size[1]) == size[1] ? 0 : -1, path);
      must(ZSTD_decompressDCtx(context, out, block, in, size[1]) == size[0] ? 0 : -1, "decode");
    }
    must(write(end[1], "d", 1), "decoded");
    _exit(0);
  }
  close(end[1]);
  return end[0];
}

int main(int argc, char **argv) {
  signal(SIGCHLD, SIG_DFL);
  if (argc > 1 && !strcmp(argv[1], "-m")) {
    few = 1;
    argc--, argv++;
  }
  if (argc > 2 && !strcmp(argv[1], "-z")) {
    decoded = decode_beside(argv[2]);
    argc -= 2, argv += 2;
  }
  pid_t server = -1;
  if (argc > 2 && !strcmp(argv[1], "-f")) {
    must(served = serve_raw_tree(argv[2], &server), "server");
    argc--, argv++;
  }
  if (argc < 3) return fprintf(stderr, "usage: steps [-m] [-z BLOCKS] [-f] ROOT PROGRAM [ARGUMENT...]\n"), 125;
  must(getcwd(cwd, sizeof cwd) ? 0 : -1, "getcwd");
  if (few) strcpy(cwd, "/");
  const unsigned uid = getuid(), gid = getgid();
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL);
  int pidfd = -1;
  const long init = syscall(SYS_clone,
                            CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
                                CLONE_NEWCGROUP | CLONE_PIDFD | SIGCHLD,
                            NULL, &pidfd, NULL, NULL);
  must(init, "namespaces");
  if (init == 0) run_init(argv[1], argv + 2, uid, gid);
  struct pollfd end = {pidfd, POLLIN, 0};
  poll(&end, 1, -1);
  int status = 0;
  must(waitpid((pid_t)init, &status, 0), "wait");
  if (server > 0) must(waitpid(server, NULL, 0), "wait for the server");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}
