// SPDX-License-Identifier: MIT
// On the mounts of the run.
#include "attacks.h"

// The mount points of /proc/self/mountinfo, deepest last.
static int mount_points(char points[][256], int limit) {
  FILE* file = fopen("/proc/self/mountinfo", "r");
  char line[1024];
  int count = 0;
  while (file && count < limit && fgets(line, sizeof line, file)) {
    if (sscanf(line, "%*d %*d %*s %*s %255s", points[count]) == 1) ++count;
  }
  if (file) fclose(file);
  return count;
}

struct Attributes {
  unsigned long long set, clear, propagation, user_namespace;
};

static void make_writable(void) {
  static char points[128][256];
  const int count = mount_points(points, 128);
  char text[300];
  int changed = 0;
  for (int i = 0; i < count; ++i) {
    if (mount(NULL, points[i], NULL, MS_REMOUNT | MS_BIND, NULL) == 0 &&
        mount(NULL, points[i], NULL, MS_REMOUNT | MS_BIND, NULL) == 0) {
      // What was writable before may be remounted so in a namespace that owns it.
      snprintf(text, sizeof text, "%s/written", strcmp(points[i], "/") == 0 ? "" : points[i]);
      changed |= strcmp(points[i], "/") == 0 && open(text, O_CREAT | O_WRONLY, 0600) >= 0;
    }
  }
  tell(changed, "remount", changed ? "the root is writable" : "no");
  struct Attributes clear = {0, 1, 0, 0};  // MOUNT_ATTR_RDONLY
  must_fail("mount_setattr", syscall(SYS_mount_setattr, -100, "/", 0, &clear, sizeof clear));
  must_fail("open_tree", syscall(SYS_open_tree, -100, "/", 1));  // OPEN_TREE_CLONE
  must_fail("open_tree_attr", syscall(467, -100, "/", 1, &clear, sizeof clear));
  const int before = open("/opt/written", O_CREAT | O_WRONLY, 0600);
  must_fail("a file of the image", before);
  // Read-only for a root caller, whose uid is all that their modes ask for.
  must_fail("core_pattern", open("/proc/sys/kernel/core_pattern", O_WRONLY));
}

static int remount(int count, char** words) {
  (void)count, (void)words;
  make_writable();
  nested(0, make_writable);
  return 0;
}

static void take_off(void) {
  static char points[128][256];
  const int count = mount_points(points, 128);
  char text[300];
  int off = 0;
  for (int i = count - 1; i > 0; --i) {
    if (umount2(points[i], MNT_DETACH) == 0) {
      snprintf(text, sizeof text, "umount %s", points[i]);
      tell(1, text, "ok");
      off = 1;
    }
  }
  if (!off) tell(0, "umount of anything", "no");
  // Without what covers parts of it (a root caller's).
  mkdir("/tmp/proc", 0700);
  const int bound = mount("/proc", "/tmp/proc", NULL, MS_BIND, NULL);
  must_fail("/proc elsewhere", bound != 0 ? -1 : open("/tmp/proc/sys/kernel/core_pattern", O_WRONLY));
}

static int uncover(int count, char** words) {
  (void)count, (void)words;
  take_off();
  nested(0, take_off);
  return 0;
}

static char secret[4096];

static void walk_out(void) {
  struct stat before, after;
  mkdir("/tmp/cell", 0700);
  const int out = open("/", O_RDONLY | O_DIRECTORY);
  if (stat("/", &before) != 0) cannot("stat /");
  if (chroot("/tmp/cell") != 0) {
    tell(0, "chroot", strerrorname_np(errno));
    return;
  }
  if (fchdir(out) != 0) cannot("fchdir");
  for (int i = 0; i < 1024; ++i) {
    if (chdir("..") != 0) break;
  }
  if (chroot(".") != 0) cannot("chroot back");
  if (stat("/", &after) != 0) cannot("stat / again");
  const int same = before.st_ino == after.st_ino && before.st_dev == after.st_dev;
  tell(!same, "root", same ? "the same" : "another");
  must_fail("the secret", open(secret, O_RDONLY));
}

static int walk(int count, char** words) {
  if (count > 0) snprintf(secret, sizeof secret, "%s", words[0]);
  walk_out();
  nested(0, walk_out);
  return 0;
}

// The root that was left, under the names that it usually has.
static int old_root(int count, char** words) {
  const char* tops[] = {"", "/mnt", "/oldroot", "/.oldroot", "/old_root", "/tmp", "/proc/1/root",
                        "/proc/self/root/..", "/proc/self/cwd/../../../../..", "/.."};
  char path[4200];
  for (size_t i = 0; count > 0 && i < sizeof tops / sizeof *tops; ++i) {
    snprintf(path, sizeof path, "%s%s", tops[i], words[0]);
    must_fail(*tops[i] ? tops[i] : "/", open(path, O_RDONLY));
  }
  struct stat here, above;
  const int same = stat("/", &here) == 0 && stat("/..", &above) == 0 &&
                   here.st_ino == above.st_ino && here.st_dev == above.st_dev;
  tell(!same, "/..", same ? "the root" : "another directory");
  return 0;
}

static void mount_proc(void) {
  const pid_t child = fork();
  if (child == 0) {
    const int made = mount("proc", "/proc", "proc", 0, NULL);
    tell(made != 0, "a new /proc", made == 0 ? "mounted" : strerrorname_np(errno));
    _exit(0);
  }
  waitpid(child, NULL, 0);
}

// What a sandbox inside the run needs; here it is a RISK if it fails.
static int nested_proc(int count, char** words) {
  (void)count, (void)words;
  nested(CLONE_NEWPID, mount_proc);
  return 0;
}

static void mount_groups(void) {
  mkdir("/tmp/groups", 0700);
  must_fail("cgroup2", mount("x", "/tmp/groups", "cgroup2", 0, NULL));
  must_fail("cgroup", mount("x", "/tmp/groups", "cgroup", 0, "none,name=systemd"));
}

static int control_groups(int count, char** words) {
  (void)count, (void)words;
  mount_groups();
  nested(CLONE_NEWCGROUP, mount_groups);
  return 0;
}

const struct Named kMounts[] = {{"remount", remount},   {"uncover", uncover},
                                {"walk-out", walk},     {"old-root", old_root},
                                {"nested-proc", nested_proc}, {"control-groups", control_groups},
                                {0, 0}};
