// SPDX-License-Identifier: MIT
// Two runs of one user, each at the other: attacks peer MINE OTHER PORT
// shares all that it can under its name, says "ready", and attacks the other
// when a line comes; a second line ends it.
#include <arpa/inet.h>
#include <dirent.h>
#include <mqueue.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "attacks.h"

enum { kKey = 0x726f6f74 };

static char text[512];

static const char* named(const char* form, const char* name) {
  snprintf(text, sizeof text, form, name);
  return text;
}

static int unix_socket(const char* name, int abstract, int connecting) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  strncpy(at.sun_path + abstract, name, sizeof at.sun_path - 2);
  const socklen_t size = (socklen_t)(sizeof(sa_family_t) + strlen(name) + 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connecting) return connect(fd, (struct sockaddr*)&at, size);
  return bind(fd, (struct sockaddr*)&at, size) == 0 ? listen(fd, 4) : -1;
}

static int tcp_socket(int port, int connecting) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (connecting) return connect(fd, (struct sockaddr*)&at, sizeof at);
  return bind(fd, (struct sockaddr*)&at, sizeof at) == 0 ? listen(fd, 4) : -1;
}

static void write_file(const char* path) {
  const int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, "mine", 4) != 4) cannot(path);
  if (fd >= 0) close(fd);
}

static int key_of(const char* name) { return kKey + name[0]; }

static int shared_ids[3];

static void share(const char* mine, int port) {
  prctl(PR_SET_NAME, mine);
  if (unix_socket(mine, 1, 0) != 0) cannot("listen, abstract");
  if (unix_socket(named("/tmp/%s.sock", mine), 0, 0) != 0) cannot(text);
  if (tcp_socket(port, 0) != 0) cannot("listen, TCP");
  write_file(named("/tmp/%s", mine));
  write_file(named("/var/tmp/%s", mine));
  const int memory = shm_open(named("/%s", mine), O_CREAT | O_RDWR, 0600);
  if (memory < 0 || ftruncate(memory, 4096) != 0) cannot("shm_open");
  shared_ids[0] = shmget(key_of(mine), 4096, IPC_CREAT | 0600);
  shared_ids[1] = semget(key_of(mine), 1, IPC_CREAT | 0600);
  shared_ids[2] = msgget(key_of(mine), IPC_CREAT | 0600);
  if (shared_ids[0] < 0 || shared_ids[1] < 0 || shared_ids[2] < 0) cannot("System V IPC");
  struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 16};
  if (mq_open(named("/%s", mine), O_CREAT | O_RDWR, 0600, &attributes) < 0) cannot("mq_open");
  syscall(SYS_add_key, "user", mine, "mine", 4L, -4L);  // refused inside, as it should be
  const char* locked = getenv("PEER_LOCK");
  if (locked && strcmp(mine, "one") == 0 && flock(open(locked, O_RDONLY), LOCK_EX | LOCK_NB) != 0) cannot("flock");
}

static void unshare_all(const char* mine) {
  shmctl(shared_ids[0], IPC_RMID, NULL);
  semctl(shared_ids[1], 0, IPC_RMID);
  msgctl(shared_ids[2], IPC_RMID, NULL);
  shm_unlink(named("/%s", mine));
  mq_unlink(text);
  const char* files[] = {"/tmp/%s", "/tmp/%s.sock", "/var/tmp/%s"};
  for (int i = 0; i < 3; ++i) unlink(named(files[i], mine));
  const long key = syscall(SYS_keyctl, 10L, -4L, "user", mine, 0L);
  if (key > 0) syscall(SYS_keyctl, 9L, key, -4L);  // KEYCTL_UNLINK
}

// The other's process, by its name; 0 if it is not seen.
static int find(const char* other) {
  char path[300];
  int found = 0;
  DIR* directory = opendir("/proc");
  for (struct dirent* entry; directory && (entry = readdir(directory));) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    snprintf(path, sizeof path, "/proc/%s/comm", entry->d_name);
    if (strncmp(first_bytes(path), other, strlen(other)) == 0) found = atoi(entry->d_name);
  }
  if (directory) closedir(directory);
  return found;
}

static void attack_process(const char* other) {
  const int pid = find(other);
  tell(pid > 0, "see it in /proc", pid > 0 ? named("%s", other) : "no");
  if (pid == 0) return;
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/environ", pid);
  must_fail("read its environment", open(path, O_RDONLY));
  snprintf(path, sizeof path, "/proc/%d/root", pid);
  must_fail("enter its root", open(path, O_PATH));
  must_fail("signal it", kill(pid, 0));
  must_fail("trace it", ptrace(PTRACE_SEIZE, pid, 0, 0));
}

static void attack_names(const char* other, int port) {
  must_fail("abstract socket", unix_socket(other, 1, 1));
  must_fail("path socket", unix_socket(named("/tmp/%s.sock", other), 0, 1));
  must_fail("TCP port", tcp_socket(port, 1));
  must_fail("file in /tmp", open(named("/tmp/%s", other), O_RDWR));
  must_fail("file in /var/tmp", open(named("/var/tmp/%s", other), O_RDWR));
  must_fail("POSIX shared memory", shm_open(named("/%s", other), O_RDWR, 0));
  must_fail("POSIX queue", mq_open(named("/%s", other), O_RDWR));
  must_fail("shared memory", shmget(key_of(other), 0, 0));
  must_fail("semaphores", semget(key_of(other), 0, 0));
  must_fail("message queue", msgget(key_of(other), 0));
  must_fail("key", syscall(SYS_keyctl, 10L, -4L, "user", other, 0L));
  const char* locked = getenv("PEER_LOCK");
  if (!locked || strcmp(other, "one") != 0) return;
  const int stopped = flock(open(locked, O_RDONLY), LOCK_EX | LOCK_NB) != 0;
  tell(stopped, "its lock on a file of the image", stopped ? "stops us" : "not seen");
}

static int peer(int count, char** words) {
  char line[16];
  if (count < 3) return 98;
  const int port = atoi(words[2]);
  share(words[0], port + words[0][0]);
  printf("ready\n");
  fflush(stdout);
  if (!fgets(line, sizeof line, stdin)) return 97;
  attack_process(words[1]);
  attack_names(words[1], port + words[1][0]);
  printf("done\n");
  fflush(stdout);
  if (!fgets(line, sizeof line, stdin)) return 97;
  unshare_all(words[0]);
  return 0;
}

const struct Named kNeighbours[] = {{"peer", peer}, {0, 0}};
