// SPDX-License-Identifier: MIT
// System calls that a packaged tool has no business with.
#include <arpa/inet.h>
#include <sys/socket.h>

#include "attacks.h"

struct Call {
  const char* name;
  long number;
  int wanted;
};

#define PERM(call) {#call, SYS_##call, EPERM}
#define GONE(call) {#call, SYS_##call, ENOSYS}
static const struct Call kRefused[] = {
    PERM(add_key), PERM(request_key), PERM(keyctl), PERM(bpf), PERM(perf_event_open),
    PERM(userfaultfd), PERM(kexec_load), PERM(kexec_file_load), PERM(init_module),
    PERM(finit_module), PERM(delete_module), PERM(reboot), PERM(swapon), PERM(swapoff), PERM(acct),
    PERM(quotactl), PERM(quotactl_fd), PERM(syslog), PERM(settimeofday), PERM(clock_settime),
    PERM(vhangup), PERM(lookup_dcookie), PERM(open_by_handle_at), PERM(fanotify_init),
    GONE(nfsservctl), GONE(io_uring_setup), GONE(io_uring_enter), GONE(io_uring_register),
    GONE(open_tree), GONE(move_mount), GONE(fsopen), GONE(fsconfig), GONE(fsmount), GONE(fspick),
    GONE(mount_setattr), {"open_tree_attr", 467, ENOSYS},
#if defined(__x86_64__)
    PERM(iopl), PERM(ioperm), PERM(modify_ldt), GONE(uselib), GONE(ustat), GONE(sysfs),
    GONE(_sysctl), GONE(create_module), GONE(get_kernel_syms), GONE(query_module),
#endif
};

static int refused_calls(int count, char** words) {
  (void)count, (void)words;
  char place[64];
  for (size_t i = 0; i < sizeof kRefused / sizeof *kRefused; ++i) {
    const struct Call* call = &kRefused[i];
    // Nonsense for all but modify_ldt, whose nonsense is ENOSYS anyway.
    const long first = strcmp(call->name, "modify_ldt") == 0 ? 0 : -1;
    errno = 0;
    must_give(call->name,
              syscall(call->number, first, first ? -1L : (long)place, first ? -1L : 16, -1L, -1L, -1L),
              call->wanted);
  }
  for (long number = 470; number < 560; ++number) {
    if (syscall(number, -1L, -1L, -1L, -1L, -1L, -1L) >= 0 || errno != ENOSYS) {
      tell(1, "an unknown call", strerrorname_np(errno));
    }
  }
  return 0;
}

static int other_doors(int count, char** words) {
  (void)count, (void)words;
#if defined(__x86_64__)
  const pid_t child = fork();
  if (child == 0) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");  // getpid of i386
    _exit(result > 0 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  tell(!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS, "int 0x80",
       WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "a call of another architecture");
  must_give("x32 keyctl", syscall(0x40000000L | SYS_keyctl, 0, -3, 1), ENOSYS);
#else
  tell(0, "other doors", "this architecture has none");
#endif
  return 0;
}

static void packets(void) {
  must_give("AF_PACKET", socket(AF_PACKET, SOCK_RAW, htons(3)), EAFNOSUPPORT);
  // The kernel makes an AF_PACKET socket of this old spelling.
  must_give("AF_INET SOCK_PACKET", socket(AF_INET, SOCK_PACKET, htons(3)), EAFNOSUPPORT);
  must_give("SOCK_PACKET with flags",
            syscall(SYS_socket, (long)AF_INET | 1L << 32, SOCK_PACKET | SOCK_CLOEXEC | 1L << 32,
                    htons(3)),
            EAFNOSUPPORT);
}

static int families(int count, char** words) {
  (void)count, (void)words;
  char name[32];
  for (int family = 3; family < 64; ++family) {
    if (family == AF_INET6 || family == AF_NETLINK) continue;
    snprintf(name, sizeof name, "family %d", family);
    must_give(name, socket(family, SOCK_DGRAM, 0), EAFNOSUPPORT);
  }
  packets();
  nested(CLONE_NEWNET, packets);
  for (int family = 1; family <= AF_NETLINK; ++family) {
    if (family > AF_INET && family != AF_INET6 && family != AF_NETLINK) continue;
    snprintf(name, sizeof name, "wanted family %d", family);
    const int fd = socket(family, SOCK_DGRAM, 0);
    tell(fd < 0, name, fd < 0 ? strerrorname_np(errno) : "ok");
  }
  return 0;
}

// A key that the caller has in his session's keyring.
static int keyring(int count, char** words) {
  const char* name = count > 0 ? words[0] : "rootlet-secret";
  long found = -1;
  for (long ring = -5; ring < 0 && found < 0; ++ring) {
    found = syscall(SYS_keyctl, 10L, ring, "user", name, 0L);  // KEYCTL_SEARCH
  }
  must_fail("search", found);
  char value[64];
  must_fail("read", syscall(SYS_keyctl, 11L, found, value, sizeof value));  // KEYCTL_READ
  must_fail("add", syscall(SYS_add_key, "user", "planted", "x", 1L, -3L));
  return 0;
}

// Plants such a key in a new session keyring and executes the rest.
static int with_key(int count, char** words) {
  if (count < 2 || syscall(SYS_keyctl, 1L, NULL) < 0 ||  // KEYCTL_JOIN_SESSION_KEYRING
      syscall(SYS_add_key, "user", words[0], "the key", 7L, -3L) < 0) {
    cannot("plant a key");
    return 98;
  }
  execv(words[1], words + 1);
  return 97;
}

static void make_nothing(void) { tell(1, "namespaces", "made"); }

static int make_namespaces(int count, char** words) {
  (void)count, (void)words;
  nested(CLONE_NEWNET, make_nothing);
  return 0;
}

const struct Named kCalls[] = {{"refused-calls", refused_calls}, {"other-doors", other_doors},
                               {"families", families},           {"keyring", keyring},
                               {"with-key", with_key},           {"make-namespaces", make_namespaces},
                               {0, 0}};
