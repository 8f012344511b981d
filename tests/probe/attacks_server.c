// SPDX-License-Identifier: MIT
// At the shared image servers of the user: their directory, their sockets,
// their switches.
#include <dirent.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "attacks.h"

static char path[4096];

static const char* below(const char* directory, const char* name) {
  snprintf(path, sizeof path, "%s/%s", directory, name);
  return path;
}

// By a descriptor of the directory: an address has room for 108 bytes.
static int at_socket(const char* name, int (*call)(int, const struct sockaddr*, socklen_t)) {
  char directory[4096];
  snprintf(directory, sizeof directory, "%s", name);
  char* slash = strrchr(directory, '/');
  *slash = '\0';
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  const int parent = open(directory, O_PATH | O_CLOEXEC);
  if (parent < 0) return -1;
  snprintf(at.sun_path, sizeof at.sun_path, "/proc/self/fd/%d/%s", parent, slash + 1);
  const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (call(fd, (struct sockaddr*)&at, sizeof at) == 0) return fd;
  close(fd);
  return -1;
}

// Waits for what a server says first.
static void visit(const char* name) {
  const int fd = at_socket(name, connect);
  if (fd < 0) {
    must_fail("connect", fd);
    return;
  }
  char text[4096], control[CMSG_SPACE(4 * sizeof(int))];
  struct iovec part = {text, sizeof text};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                           .msg_controllen = sizeof control};
  const ssize_t got = recvmsg(fd, &message, 0);
  tell(got > 0, "the server answers", got > 0 ? "it gives its mount" : "it hangs up");
  close(fd);
}

// Says what a server says: a forger would say the same.
static int greeting(int count, char** words) {
  char text[4096];
  const int fd = count == 1 ? at_socket(words[0], connect) : -1;
  const ssize_t got = fd < 0 ? -1 : recv(fd, text, sizeof text, 0);
  return got <= 0 || write(1, text, (size_t)got) < 0;
}

// Comes, and neither reads nor goes.
static int linger(int count, char** words) {
  if (count != 1 || at_socket(words[0], connect) < 0) return 2;
  printf("ready\n");
  fflush(stdout);
  for (;;) pause();
}

static int visit_one(int count, char** words) {
  if (count != 1) return 2;
  visit(words[0]);
  return 0;
}

static void rename_and_back(const char* what, const char* name) {
  char other[4096];
  snprintf(other, sizeof other, "%s.moved", name);
  const int result = rename(name, other);
  must_fail(what, result);
  if (result == 0) rename(other, name);
}

static int look_around(const char* directory) {
  DIR* listing = opendir(directory);
  if (listing == NULL) {
    must_fail("look at the servers", -1);
    return 0;
  }
  int found = 0;
  for (const struct dirent* entry; (entry = readdir(listing)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    ++found;
    visit(below(directory, entry->d_name));
  }
  closedir(listing);
  tell(found > 0, "look at the servers", found > 0 ? "they are there" : "nothing is there");
  return found;
}

// DIRECTORY, where the servers' sockets are, as the tool names it.
static int squat(int count, char** words) {
  if (count != 1) return 2;
  const char* directory = words[0];
  look_around(directory);
  const int door = at_socket(below(directory, "squatter"), bind);
  must_fail("put a socket there", door);
  if (door >= 0) unlink(below(directory, "squatter"));
  const int file = open(below(directory, "file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  must_fail("put a file there", file);
  if (file >= 0) unlink(below(directory, "file"));
  rename_and_back("move the directory away", directory);
  char parent[4096];
  snprintf(parent, sizeof parent, "%s", directory);
  *strrchr(parent, '/') = '\0';
  rename_and_back("move what is around it away", parent);
  must_fail("remove it", rmdir(directory));
  must_fail("uncover it", umount2(directory, MNT_DETACH));
  return 0;
}

static const char* switches;

static void pull_switches(void) {
  DIR* listing = opendir(switches);
  int found = 0;
  for (const struct dirent* entry; listing != NULL && (entry = readdir(listing)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s/abort", switches, entry->d_name);
    if (access(path, W_OK) == 0) ++found;
  }
  if (listing != NULL) closedir(listing);
  tell(found > 0, "switches of FUSE mounts", found > 0 ? "can be pulled" : "none in reach");
}

static void mount_switches(void) {
  must_fail("mount fusectl", mount("x", "/mnt", "fusectl", 0, NULL));
}

// DIRECTORY where fusectl is on the host.
static int abort_mounts(int count, char** words) {
  if (count != 1) return 2;
  switches = words[0];
  pull_switches();
  nested(0, mount_switches);
  return 0;
}

// Answers at PATH with TEXT, and with a directory instead of a mount.
static int forge(int count, char** words) {
  if (count != 2) return 2;
  unlink(words[0]);
  const int door = at_socket(words[0], bind);
  if (door < 0 || listen(door, 100) != 0) return 3;
  printf("ready\n");
  fflush(stdout);
  char text[4096];
  snprintf(text, sizeof text, "+%d%s", getpid(), words[1]);
  // What stands for the mount, the server's life and its tally.
  const int fds[3] = {open("/tmp", O_PATH | O_CLOEXEC), open("/dev/null", O_RDONLY | O_CLOEXEC),
                      open("/dev/null", O_RDONLY | O_CLOEXEC)};
  for (;;) {
    const int visitor = accept(door, NULL, NULL);
    if (visitor < 0) continue;
    char control[CMSG_SPACE(sizeof fds)] = {0};
    struct iovec part = {text, strlen(text)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    struct cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fds);
    memcpy(CMSG_DATA(header), fds, sizeof fds);
    sendmsg(visitor, &message, MSG_NOSIGNAL);
  }
}

const struct Named kServer[] = {{"squat", squat},
                                {"visit", visit_one},
                                {"abort", abort_mounts},
                                {"greeting", greeting},
                                {"linger", linger},
                                {"forge", forge},
                                {NULL, NULL}};
