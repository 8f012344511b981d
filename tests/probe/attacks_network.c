// SPDX-License-Identifier: MIT
// On whatever listens on the host.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "attacks.h"

static int to_name(const char* name, int abstract) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  strncpy(to.sun_path + abstract, name, sizeof to.sun_path - 2);
  const size_t length = sizeof(sa_family_t) + (size_t)abstract + strlen(name) + (size_t)!abstract;
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  return connect(fd, (struct sockaddr*)&to, (socklen_t)length);
}

static int to_address(const char* address, int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  inet_pton(AF_INET, address, &to.sin_addr);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int done = connect(fd, (struct sockaddr*)&to, sizeof to);
  if (done == 0 || errno != EINPROGRESS) return done;
  struct pollfd wait = {fd, POLLOUT, 0};
  socklen_t size = sizeof errno;
  if (poll(&wait, 1, 500) < 1) errno = ETIMEDOUT;
  else getsockopt(fd, SOL_SOCKET, SO_ERROR, &errno, &size);
  return errno == 0 ? 0 : -1;
}

static int abstract(int count, char** words) {
  for (int i = 0; i < count; ++i) must_fail("abstract socket", to_name(words[i], 1));
  return 0;
}

static int path(int count, char** words) {
  for (int i = 0; i < count; ++i) must_fail(words[i], to_name(words[i], 0));
  return 0;
}

// The host's loopback, and the address of a cloud's secrets.
static int address(int count, char** words) {
  for (int i = 0; i < count; ++i) must_fail(words[i], to_address("127.0.0.1", atoi(words[i])));
  must_fail("169.254.169.254", to_address("169.254.169.254", 80));
  return 0;
}

const struct Named kNetwork[] = {
    {"abstract", abstract}, {"path", path}, {"address", address}, {0, 0}};
