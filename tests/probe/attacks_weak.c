// SPDX-License-Identifier: MIT
// Sandboxes that lack one thing, to show that the attacks can succeed:
//   attacks weak KIND ROOT PROGRAM [WORD]...
// caps: a pivoted, read-only root whose tool keeps its capabilities; chroot:
// chroot(2) alone; keep: the old root is left at ROOT/mnt; stay: as chroot, and
// the current directory stays outside.
#include "attacks.h"

static int fail(const char* what) {
  cannot(what);
  return 96;
}

static int pivot(const char* root, int keep) {
  char old[512];
  snprintf(old, sizeof old, "%s/mnt", root);
  if (mount(root, root, NULL, MS_BIND | MS_REC, NULL) != 0) return -1;
  if (chdir(root) != 0) return -1;
  if (syscall(SYS_pivot_root, ".", keep ? "mnt" : ".") != 0) return -1;
  if (!keep && umount2(".", MNT_DETACH) != 0) return -1;
  if (chdir("/") != 0) return -1;
  if (keep) return 0;
  return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
}

static int enter(const char* kind, const char* root) {
  if (strcmp(kind, "chroot") == 0) return chroot(root) == 0 ? chdir("/") : -1;
  if (strcmp(kind, "stay") == 0) return chroot(root);
  return pivot(root, strcmp(kind, "keep") == 0);
}

static int weak(int count, char** words) {
  if (count < 3) return fail("too few words");
  const unsigned uid = getuid(), gid = getgid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) != 0) return fail("unshare");
  map_to_root(uid, gid);
  const pid_t child = fork();
  if (child == 0) {
    // While the host's is in sight; a chroot has none of its own then.
    char proc[512];
    snprintf(proc, sizeof proc, "%s/proc", words[1]);
    if (mount("proc", proc, "proc", 0, NULL) != 0) _exit(fail("mount proc"));
    if (enter(words[0], words[1]) != 0) _exit(fail(words[0]));
    execv(words[2], words + 2);
    _exit(fail(words[2]));
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 95;
}

const struct Named kWeak[] = {{"weak", weak}, {0, 0}};
