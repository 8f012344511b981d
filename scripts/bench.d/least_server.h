// SPDX-License-Identifier: MIT
/* The least FUSE server of an image whose content is stored as it is: for steps.c -f.
 *
 * One file (raw_tree.py) holds an array of entries and, from whole pages on, the content
 * of the files. Nothing is decoded, checked, confined or shared: what it takes is what no
 * server of files through FUSE does without. */
#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { most_of_an_answer = 128 << 10 };

/* One message with descriptors, over a socket between two processes. 0 or -1. */
static int hand_over(int socket, const int *descriptors, unsigned count) {
  char control[CMSG_SPACE(2 * sizeof(int))] = {0};
  struct iovec part = {(void *)"f", 1};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(count * sizeof(int))};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(count * sizeof(int));
  memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
  return sendmsg(socket, &message, 0) == 1 ? 0 : -1;
}

static int take(int socket, int *descriptors, unsigned count) {
  char control[CMSG_SPACE(2 * sizeof(int))], byte;
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1 || CMSG_FIRSTHDR(&message) == NULL) return -1;
  memcpy(descriptors, CMSG_DATA(CMSG_FIRSTHDR(&message)), count * sizeof(int));
  return 0;
}

/* Entry N is the node N + 1; the first one is the root. */
struct raw_entry {
  uint64_t parent, content, size;
  uint32_t mode, links;
  char name[64];
};

struct raw_tree {
  int file, fuse;
  const struct raw_entry *entries;
  uint64_t count;
};

static void raw_attr(const struct raw_tree *tree, uint64_t node, struct fuse_attr *attr) {
  const struct raw_entry *entry = &tree->entries[node - 1];
  memset(attr, 0, sizeof *attr);
  attr->ino = node;
  attr->mode = entry->mode;
  attr->size = entry->size;
  attr->blocks = (entry->size + 511) / 512;
  attr->nlink = entry->links;
  attr->uid = getuid();
  attr->gid = getgid();
  attr->blksize = most_of_an_answer;
}

static void raw_answer(const struct raw_tree *tree, uint64_t unique, int error, const void *body, size_t size) {
  struct fuse_out_header header = {(uint32_t)(sizeof header + size), error, unique};
  const struct iovec parts[] = {{&header, sizeof header}, {(void *)body, size}};
  if (writev(tree->fuse, parts, size > 0 ? 2 : 1) < 0 && errno != ENOENT) _exit(1);
}

static void raw_init(const struct raw_tree *tree, const struct fuse_in_header *asked, const void *body) {
  const struct fuse_init_in *in = body;
  struct fuse_init_out out = {
      .major = FUSE_KERNEL_VERSION,
      .minor = in->minor < FUSE_KERNEL_MINOR_VERSION ? in->minor : FUSE_KERNEL_MINOR_VERSION,
      .max_readahead = most_of_an_answer,
      .flags = in->flags & (FUSE_ASYNC_READ | FUSE_BIG_WRITES | FUSE_CACHE_SYMLINKS | FUSE_PARALLEL_DIROPS |
                            FUSE_NO_OPEN_SUPPORT | FUSE_NO_OPENDIR_SUPPORT | FUSE_MAX_PAGES | FUSE_DO_READDIRPLUS),
      .max_write = 4096,
      .max_background = 12,
      .congestion_threshold = 9,
      .max_pages = most_of_an_answer / 4096,
      .time_gran = 1};
  raw_answer(tree, asked->unique, 0, &out, sizeof out);
}

static void raw_lookup(const struct raw_tree *tree, const struct fuse_in_header *asked, const char *name) {
  struct fuse_entry_out out = {.entry_valid = INT32_MAX, .attr_valid = INT32_MAX};
  for (uint64_t i = 1; i < tree->count && out.nodeid == 0; i++) {
    if (tree->entries[i].parent == asked->nodeid && !strcmp(tree->entries[i].name, name)) out.nodeid = i + 1;
  }
  if (out.nodeid != 0) raw_attr(tree, out.nodeid, &out.attr);
  raw_answer(tree, asked->unique, 0, &out, sizeof out);
}

/* One answer holds all of a directory, attributes included; asked again there is no more. */
static void raw_listing(const struct raw_tree *tree, const struct fuse_in_header *asked, const void *body) {
  static char listing[16 << 10] __attribute__((aligned(8)));
  const struct fuse_read_in *in = body;
  size_t used = 0;
  for (uint64_t i = 1; i < tree->count && in->offset == 0; i++) {
    const struct raw_entry *entry = &tree->entries[i];
    if (entry->parent != asked->nodeid) continue;
    const size_t length = strlen(entry->name);
    struct fuse_direntplus *out = (struct fuse_direntplus *)(listing + used);
    if (used + FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET_DIRENTPLUS + length) > sizeof listing) break;
    used += FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET_DIRENTPLUS + length);
    memset(out, 0, sizeof *out);
    out->entry_out = (struct fuse_entry_out){.nodeid = i + 1, .entry_valid = INT32_MAX, .attr_valid = INT32_MAX};
    raw_attr(tree, i + 1, &out->entry_out.attr);
    out->dirent = (struct fuse_dirent){.ino = i + 1, .off = i, .namelen = (uint32_t)length, .type = entry->mode >> 12};
    memcpy(out->dirent.name, entry->name, length);
  }
  raw_answer(tree, asked->unique, 0, listing, used < in->size ? used : 0);
}

static void raw_read(const struct raw_tree *tree, const struct fuse_in_header *asked, const void *body) {
  static char content[most_of_an_answer] __attribute__((aligned(4096)));
  const struct fuse_read_in *in = body;
  const struct raw_entry *entry = &tree->entries[asked->nodeid - 1];
  const uint64_t left = in->offset < entry->size ? entry->size - in->offset : 0;
  const size_t size = in->size < left ? in->size : left;
  if (size > sizeof content || pread(tree->file, content, size, (off_t)(entry->content + in->offset)) != (ssize_t)size) {
    raw_answer(tree, asked->unique, -EIO, NULL, 0);
    return;
  }
  raw_answer(tree, asked->unique, 0, content, size);
}

static void raw_reply(const struct raw_tree *tree, const struct fuse_in_header *asked) {
  const void *body = asked + 1;
  struct fuse_attr_out attr = {.attr_valid = INT32_MAX};
  switch (asked->opcode) {
    case FUSE_INIT: return raw_init(tree, asked, body);
    case FUSE_LOOKUP: return raw_lookup(tree, asked, body);
    case FUSE_READ: return raw_read(tree, asked, body);
    case FUSE_READDIRPLUS: return raw_listing(tree, asked, body);
    case FUSE_GETATTR:
      raw_attr(tree, asked->nodeid, &attr.attr);
      return raw_answer(tree, asked->unique, 0, &attr, sizeof attr);
    case FUSE_READLINK: {
      char target[4096];
      const struct raw_entry *entry = &tree->entries[asked->nodeid - 1];
      const ssize_t size = pread(tree->file, target, entry->size, (off_t)entry->content);
      return raw_answer(tree, asked->unique, size < 0 ? -EIO : 0, target, size < 0 ? 0 : (size_t)size);
    }
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT: return;
    default: raw_answer(tree, asked->unique, -ENOSYS, NULL, 0);
  }
}

/* Init and the server wait for each other's every answer: quickest on one processor,
 * that on which the first call found the launcher. */
static void stay_here(void) {
  static cpu_set_t here;
  if (CPU_COUNT(&here) == 0) CPU_SET((unsigned)sched_getcpu(), &here);
  sched_setaffinity(0, sizeof here, &here);
}

/* A process that serves the file at `path` through what it is handed on the returned
 * socket; it ends with its mount. */
static int serve_raw_tree(const char *path, pid_t *server) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return -1;
  cpu_set_t everywhere;
  sched_getaffinity(0, sizeof everywhere, &everywhere);
  stay_here();
  *server = fork();
  if (*server != 0) {
    sched_setaffinity(0, sizeof everywhere, &everywhere);
    close(ends[1]);
    return *server < 0 ? -1 : ends[0];
  }
  close(ends[0]);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct raw_tree tree = {.file = open(path, O_RDONLY | O_CLOEXEC)};
  const void *start = mmap(NULL, 1 << 20, PROT_READ, MAP_SHARED, tree.file, 0);
  if (tree.file < 0 || start == MAP_FAILED) _exit(1);
  memcpy(&tree.count, start, sizeof tree.count);
  tree.entries = (const struct raw_entry *)((const char *)start + sizeof tree.count);
  if (take(ends[1], &tree.fuse, 1) != 0) _exit(0);
  static char question[FUSE_MIN_READ_BUFFER + most_of_an_answer] __attribute__((aligned(8)));
  while (1) {
    const ssize_t got = read(tree.fuse, question, sizeof question);
    if (got < 0 && (errno == EINTR || errno == ENOENT || errno == EAGAIN)) continue;
    if (got < (ssize_t)sizeof(struct fuse_in_header)) _exit(0);  /* ENODEV: unmounted */
    raw_reply(&tree, (const struct fuse_in_header *)question);
  }
}

/* In init: mounts at `target` and hands the descriptor over. 0 or -1. */
static int mount_raw_tree(int channel, const char *target, unsigned uid, unsigned gid) {
  const int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  char options[128];
  snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=%u,group_id=%u,default_permissions", fuse, uid, gid);
  if (fuse < 0 || mount("steps", target, "fuse.steps", MS_RDONLY | MS_NOSUID | MS_NODEV, options) != 0) return -1;
  return hand_over(channel, &fuse, 1) == 0 ? close(fuse) : -1;
}
