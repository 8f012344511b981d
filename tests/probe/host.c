// SPDX-License-Identifier: MIT
// Makes a poor host for the command behind it:
//   host docker UID CMD...      a seccomp filter that refuses what Docker's does
//   host userns MAX UID CMD...  a user namespace where user.max_user_namespaces=MAX
//   host without N[,N] UID CMD...  a kernel that lacks these system calls (ENOSYS)
//   host deaf CMD...            a PID 1 that reaps nothing but CMD
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char* what) {
  perror(what);
  exit(70);
}

static void put(const char* path, const char* text) {
  const int fd = open(path, O_WRONLY);
  if (fd < 0 || write(fd, text, strlen(text)) < 0) fail(path);
  close(fd);
}

static void become(int uid) {
  if (uid == 0) return;
  if (setgroups(0, NULL) != 0 || setgid((gid_t)uid) != 0 || setuid((uid_t)uid) != 0) fail("become");
}

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, value)
#define DENY(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), ANSWER(SECCOMP_RET_ERRNO | EPERM)
#define NAMESPACES 0x7E020000u

static void filter_like_docker(void) {
  struct sock_filter code[] = {
      LOAD(nr),
      DENY(unshare), DENY(mount), DENY(umount2), DENY(setns), DENY(pivot_root), DENY(open_tree),
      DENY(move_mount), DENY(fsopen), DENY(fsmount), DENY(fsconfig), DENY(mount_setattr),
      DENY(keyctl), DENY(add_key),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1), ANSWER(SECCOMP_RET_ERRNO | ENOSYS),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3), LOAD(args[0]),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 1), ANSWER(SECCOMP_RET_ERRNO | EPERM),
      ANSWER(SECCOMP_RET_ALLOW)};
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("no_new_privs");
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) fail("seccomp");
}

static void filter_calls(char* numbers) {
  struct sock_filter code[64] = {LOAD(nr)};
  unsigned short count = 1;
  for (char* number = strtok(numbers, ","); number && count < 60; number = strtok(NULL, ",")) {
    code[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)atoi(number), 0, 1);
    code[count++] = (struct sock_filter)ANSWER(SECCOMP_RET_ERRNO | ENOSYS);
  }
  code[count++] = (struct sock_filter)ANSWER(SECCOMP_RET_ALLOW);
  struct sock_fprog program = {count, code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("no_new_privs");
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) fail("seccomp");
}

static void limit_namespaces(const char* maximum) {
  int go[2], made[2];
  char c = 0;
  if (pipe(go) != 0 || pipe(made) != 0) fail("pipe");
  const pid_t writer = fork();
  if (writer == 0) {  // a process of the outer namespace writes the maps
    char path[64];
    close(made[1]);
    if (read(made[0], &c, 1) != 1) _exit(1);
    for (int i = 0; i < 2; ++i) {
      snprintf(path, sizeof path, "/proc/%d/%s", getppid(), i ? "gid_map" : "uid_map");
      put(path, "0 0 65536\n");
    }
    _exit(write(go[1], &c, 1) == 1 ? 0 : 1);
  }
  if (unshare(CLONE_NEWUSER) != 0) fail("unshare");
  if (write(made[1], &c, 1) != 1 || read(go[0], &c, 1) != 1) fail("map");
  waitpid(writer, NULL, 0);
  for (int i = 0; i < 2; ++i) close(go[i]), close(made[i]);
  put("/proc/sys/user/max_user_namespaces", maximum);
}

static int be_deaf(char** command) {
  const pid_t child = fork();
  if (child == 0) {
    execv(command[0], command);
    fail(command[0]);
  }
  int status = 0;
  waitpid(child, &status, 0);
  usleep(300000);
  // Of our children only zombies can be left: all others are of the run.
  int zombies = 0, living = 0;
  siginfo_t info;
  for (;;) {
    memset(&info, 0, sizeof info);
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) != 0) break;
    if (info.si_pid == 0) { ++living; break; }
    ++zombies;
  }
  printf("status %d zombies %d living %d\n", status, zombies, living);
  return 0;
}

int main(int argc, char** argv) {
  if (argc < 3) return 71;
  if (strcmp(argv[1], "deaf") == 0) return be_deaf(argv + 2);
  if (strcmp(argv[1], "docker") == 0 && argc > 3) {
    become(atoi(argv[2]));
    filter_like_docker();
    execv(argv[3], argv + 3);
  } else if (strcmp(argv[1], "without") == 0 && argc > 4) {
    become(atoi(argv[3]));
    filter_calls(argv[2]);
    execv(argv[4], argv + 4);
  } else if (strcmp(argv[1], "userns") == 0 && argc > 4) {
    limit_namespaces(argv[2]);
    become(atoi(argv[3]));
    execv(argv[4], argv + 4);
  }
  fail(argv[1]);
}
