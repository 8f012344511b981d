// SPDX-License-Identifier: MIT
// On files of the image and of /proc, and on ids.
#include <dirent.h>
#include <grp.h>

#include "attacks.h"

// Device nodes in a directory, open for everyone by their mode.
static int nodes(int count, char** words) {
  char path[512];
  int found = 0;
  DIR* directory = opendir(count > 0 ? words[0] : "/nodes");
  for (struct dirent* entry; directory && (entry = readdir(directory));) {
    if (entry->d_name[0] == '.') continue;
    found = 1;
    snprintf(path, sizeof path, "%s/%s", words[0], entry->d_name);
    must_fail(path, open(path, O_RDWR | O_NONBLOCK));
  }
  if (!found) cannot("find a device node");
  return 0;
}

// Whether this very program, set-id or with file capabilities, gained by it.
static int gain(int count, char** words) {
  (void)count, (void)words;
  char text[64], line[256];
  snprintf(text, sizeof text, "%d -> %d, %d -> %d", getuid(), geteuid(), getgid(), getegid());
  tell(getuid() != geteuid() || getgid() != getegid(), "set-id", text);
  unsigned long long capabilities = 0;
  FILE* file = fopen("/proc/self/status", "r");
  while (file && fgets(line, sizeof line, file)) {
    if (sscanf(line, "CapEff: %llx", &capabilities) == 1) break;
  }
  snprintf(text, sizeof text, "%llx", capabilities);
  tell(capabilities != 0, "capabilities", text);
  return 0;
}

static int proc_writes(int count, char** words) {
  (void)count, (void)words;
  const char* write_to[] = {
      "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sysrq-trigger",
      "/proc/sys/vm/panic_on_oom", "/proc/sys/kernel/hostname", "/proc/sys/kernel/sysrq",
      "/proc/sys/fs/binfmt_misc/register", "/proc/irq/default_smp_affinity", "/proc/latency_stats",
      "/proc/acpi/wakeup", "/proc/scsi/scsi", "/proc/mtrr", "/proc/sys/user/max_cgroup_namespaces",
      "/proc/bus/pci/00/00.0", "/proc/fs/ext4", "/proc/driver/rtc", "/proc/timer_list",
      "/sys/kernel/uevent_helper", "/sys/power/state", "/sys/fs/cgroup/release_agent",
      "/sys/fs/cgroup/cgroup.procs", "/sys/firmware/efi/vars", "/sys/kernel/debug/sched",
      "/sys/fs/fuse/connections", "/proc/self/oom_score_adj-"};
  const char* read_of[] = {"/proc/kcore", "/proc/kmsg", "/dev/mem", "/dev/kmsg", "/dev/port",
                           "/proc/vmcore", "/sys/firmware/dmi/tables/DMI",
                           "/sys/kernel/debug/tracing/trace"};
  for (size_t i = 0; i < sizeof write_to / sizeof *write_to; ++i) {
    must_fail(write_to[i], open(write_to[i], O_WRONLY));
  }
  for (size_t i = 0; i < sizeof read_of / sizeof *read_of; ++i) {
    must_fail(read_of[i], open(read_of[i], O_RDONLY | O_NONBLOCK));
  }
  // Kernel addresses, which help any other attack.
  const char* symbols = first_bytes("/proc/kallsyms");
  tell(*symbols && strncmp(symbols, "0000000000000000", 16) != 0, "/proc/kallsyms", symbols);
  return 0;
}

// WORD: a directory that its group may not enter (mode 0705).
static int groups(int count, char** words) {
  (void)count, (void)words;
  const gid_t none = 0;
  must_fail("setgroups", setgroups(0, &none));
  must_fail("setgroups as 0", setgroups(1, &none));
  return 0;
}

static void write_map(const char* what, const char* file, const char* text) {
  const pid_t child = fork();
  if (child == 0) {
    if (unshare(CLONE_NEWUSER) != 0) {
      tell(0, what, strerrorname_np(errno));
      _exit(0);
    }
    const int fd = open(file, O_WRONLY);
    must_fail(what, fd < 0 ? -1 : write(fd, text, strlen(text)));
    _exit(0);
  }
  waitpid(child, NULL, 0);
}

// Ids that were never ours, in a namespace below.
static int ids(int count, char** words) {
  (void)count, (void)words;
  must_fail("setresuid", setresuid(12345, 12345, 12345));
  must_fail("setresgid", setresgid(12345, 12345, 12345));
  write_map("another uid", "/proc/self/uid_map", "0 12345 1\n");
  write_map("a range", "/proc/self/uid_map", "0 0 65536\n");
  write_map("six extents", "/proc/self/uid_map",
            "0 0 1\n1 1 1\n2 2 1\n3 3 1\n4 4 1\n5 5 1\n6 6 60000\n");
  write_map("groups without deny", "/proc/self/gid_map", "0 12345 1\n");
  return 0;
}

// Opens WORDs for writing; nothing that a next run executes may be.
static int write_files(int count, char** words) {
  for (int i = 0; i < count; ++i) must_fail(words[i], open(words[i], O_WRONLY | O_APPEND));
  return 0;
}

static int read_files(int count, char** words) {
  for (int i = 0; i < count; ++i) must_fail(words[i], open(words[i], O_RDONLY));
  return 0;
}

const struct Named kFiles[] = {
    {"nodes", nodes},   {"gain", gain}, {"proc-writes", proc_writes}, {"groups", groups},
    {"ids", ids},       {"write", write_files}, {"read", read_files}, {0, 0}};
