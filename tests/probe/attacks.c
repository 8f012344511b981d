// SPDX-License-Identifier: MIT
// Plays one attack and reports in lines: attacks NAME [WORD]...
#include "attacks.h"

static const char* where = "";

void tell(int broken, const char* what, const char* detail) {
  printf("%s %s%s: %s\n", broken ? "RISK" : "SAFE", where, what, detail);
  fflush(stdout);
}

void cannot(const char* what) {
  printf("ERROR %s%s: %s\n", where, what, strerrorname_np(errno));
  fflush(stdout);
}

void must_fail(const char* what, long result) {
  tell(result >= 0, what, result >= 0 ? "ok" : strerrorname_np(errno));
}

void must_give(const char* what, long result, int wanted) {
  tell(result >= 0 || errno != wanted, what, result >= 0 ? "ok" : strerrorname_np(errno));
}

static void put(const char* path, const char* text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  // Refused to root inside: its ids stay unmapped, its capabilities are there.
  if (fd >= 0 && write(fd, text, strlen(text)) < 0 && getuid() == 0) errno = 0;
  if (fd >= 0) close(fd);
}

void map_to_root(unsigned uid, unsigned gid) {
  char map[32];
  put("/proc/self/setgroups", "deny");
  snprintf(map, sizeof map, "0 %u 1\n", uid);
  put("/proc/self/uid_map", map);
  snprintf(map, sizeof map, "0 %u 1\n", gid);
  put("/proc/self/gid_map", map);
}

void nested(unsigned long more, void (*attack)(void)) {
  const pid_t child = fork();
  if (child == 0) {
    const unsigned uid = getuid(), gid = getgid();
    where = "nested ";
    if (unshare((int)(CLONE_NEWUSER | CLONE_NEWNS | more)) != 0) {
      tell(0, "namespaces", strerrorname_np(errno));
      _exit(0);
    }
    map_to_root(uid, gid);
    attack();
    _exit(0);
  }
  waitpid(child, NULL, 0);
}

const char* first_bytes(const char* path) {
  static char text[65];
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  text[got > 0 ? got : 0] = 0;
  return text;
}

int main(int count, char** words) {
  const struct Named* tables[] = {kTerminal, kCalls,   kProcesses,  kMounts,
                                  kFiles,    kNetwork, kNeighbours, kServer, kWeak};
  for (size_t i = 0; count > 1 && i < sizeof tables / sizeof *tables; ++i) {
    for (const struct Named* named = tables[i]; named->name; ++named) {
      if (strcmp(named->name, words[1]) == 0) return named->attack(count - 2, words + 2);
    }
  }
  fprintf(stderr, "no such attack: %s\n", count > 1 ? words[1] : "");
  return 99;
}
