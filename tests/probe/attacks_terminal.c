// SPDX-License-Identifier: MIT
// On the caller's terminal.
#include <sys/ioctl.h>
#include <termios.h>

#include "attacks.h"

static int terminal(void) {
  const int fd = open("/dev/tty", O_RDWR | O_NOCTTY);
  if (fd < 0) cannot("open /dev/tty");
  return fd;
}

// Types "echo PWNED" for the shell that gets the terminal back.
static int type_with(unsigned long request) {
  const int fd = terminal();
  long result = 0;
  for (const char* c = "echo PWNED\n"; *c && result == 0; ++c) {
    result = syscall(SYS_ioctl, fd, request, c);
  }
  must_give("TIOCSTI", result, EPERM);
  return 0;
}

static int tiocsti(int count, char** words) {
  (void)count, (void)words;
  return type_with(TIOCSTI);
}

static int tiocsti_high(int count, char** words) {
  (void)count, (void)words;
  return type_with(TIOCSTI | 1ul << 32);
}

// Selects and pastes on a virtual console; a pty's driver says ENOTTY, which
// is already further than it should come.
static int tioclinux(int count, char** words) {
  (void)count, (void)words;
  const int fd = terminal();
  char select[] = {2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, paste[] = {3};
  must_give("TIOCLINUX select", ioctl(fd, TIOCLINUX, select), EPERM);
  must_give("TIOCLINUX paste", syscall(SYS_ioctl, fd, TIOCLINUX | 1ul << 32, paste), EPERM);
  return 0;
}

// Another line discipline outlives the run and leaves the terminal unusable.
static int tiocsetd(int count, char** words) {
  (void)count, (void)words;
  const int fd = terminal(), same = 0;
  must_give("TIOCSETD", ioctl(fd, TIOCSETD, &same), EPERM);
  return 0;
}

static void on_interrupt(int number) { (void)number; }

// Survives Ctrl-C, and looks whether its files do: WORD is one of them.
static int interrupted(int count, char** words) {
  struct sigaction action = {.sa_handler = on_interrupt};
  sigset_t interrupt, before;
  sigaction(SIGINT, &action, NULL);
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  sigprocmask(SIG_BLOCK, &interrupt, &before);
  printf("ready\n");
  fflush(stdout);
  sigsuspend(&before);
  const int fd = open(count > 0 ? words[0] : "/nowhere", O_RDONLY);
  char byte;
  const int good = fd >= 0 && posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0 &&
                   read(fd, &byte, 1) == 1;
  tell(!good, "files after Ctrl-C", good ? "there" : strerrorname_np(errno));
  return 0;
}

const struct Named kTerminal[] = {{"tiocsti", tiocsti},     {"tiocsti-high", tiocsti_high},
                                  {"tioclinux", tioclinux}, {"tiocsetd", tiocsetd},
                                  {"interrupted", interrupted}, {0, 0}};
