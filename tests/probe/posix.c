// SPDX-License-Identifier: MIT
// What POSIX (and Linux) promise of files, tried in a directory: one line a
// promise, "NAME: ok" or "NAME: what went wrong".
//   posix write DIR        what can be written: mmap, locks, rename, links, ...
//   posix read FILE DIR    what can only be read: mmap of code, statx, seeks in DIR
//   posix hold FILE        takes an fcntl and a flock lock, says so, waits for input
//   posix try FILE         whether such locks can be had
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static int failures;

static void report(const char* name, int ok) {
  const int code = errno;
  printf("%s: %s\n", name, ok ? "ok" : code ? strerrorname_np(code) : "wrong");
  failures += !ok;
  errno = 0;
}

static int make(const char* name, const char* text) {
  const int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
  return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? fd : -1;
}

static int holds(const char* name, const char* text) {
  char buffer[64] = {0};
  const int fd = open(name, O_RDONLY);
  const int ok = fd >= 0 && read(fd, buffer, sizeof buffer - 1) >= 0 && strcmp(buffer, text) == 0;
  close(fd);
  return ok;
}

static void mappings(void) {
  const int fd = make("mapped", "0123456789");
  char* shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  report("mmap shared", shared != MAP_FAILED);
  if (shared == MAP_FAILED) return;
  memcpy(shared, "abc", 3);
  report("msync", msync(shared, 4096, MS_SYNC) == 0 && holds("mapped", "abc3456789"));
  char* private = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  if (private != MAP_FAILED) private[0] = 'X';
  report("mmap private", private != MAP_FAILED && holds("mapped", "abc3456789"));
  close(fd);
}

static void locks(void) {
  const int fd = make("locked", "lock");
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 2};
  report("fcntl lock", fcntl(fd, F_SETLK, &lock) == 0);
  const pid_t child = fork();
  if (child == 0) {
    const int other = open("locked", O_RDWR);
    struct flock same = lock;
    _exit(fcntl(other, F_SETLK, &same) == -1 && (errno == EAGAIN || errno == EACCES) ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  report("fcntl lock excludes", status == 0);
  const int second = open("locked", O_RDWR);
  report("flock", flock(fd, LOCK_EX) == 0 && flock(second, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK);
  close(second);
  close(fd);
}

static void names(void) {
  close(make("old", "old"));
  close(make("new", "new"));
  report("rename over", rename("new", "old") == 0 && holds("old", "new") && access("new", F_OK) != 0);
  errno = 0;
  struct stat first, second;
  report("hard link", link("old", "again") == 0 && stat("old", &first) == 0 &&
                          stat("again", &second) == 0 && first.st_ino == second.st_ino &&
                          first.st_nlink == 2);
  char target[16] = {0};
  report("symlink", symlink("old", "points") == 0 && readlink("points", target, 15) == 3);
  report("exchange", renameat2(AT_FDCWD, "old", AT_FDCWD, "mapped", RENAME_EXCHANGE) == 0 &&
                         holds("mapped", "new"));
  report("directory", mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0 && rmdir("d") == -1 &&
                          errno == ENOTEMPTY && rename("d", "f") == 0 && rmdir("f/e") == 0 &&
                          rmdir("f") == 0);
  const int open_file = open("again", O_RDONLY);
  char byte;
  report("read after unlink", unlink("again") == 0 && read(open_file, &byte, 1) == 1);
  close(open_file);
}

static void sizes(void) {
  const off_t far = (off_t)5 << 30;
  int fd = open("sparse", O_RDWR | O_CREAT | O_TRUNC, 0644);
  struct stat status;
  report("beyond 4 GiB", pwrite(fd, "end", 3, far) == 3 && fstat(fd, &status) == 0 &&
                             status.st_size == far + 3);
  report("sparse", status.st_blocks < 4096);
  report("seek to data", lseek(fd, 0, SEEK_DATA) > 0);
  report("truncate", ftruncate(fd, 10) == 0 && fstat(fd, &status) == 0 && status.st_size == 10);
  report("fallocate", fallocate(fd, 0, 0, 65536) == 0);
  report("fsync", fsync(fd) == 0 && fdatasync(fd) == 0);
  close(fd);
  void* block = NULL;
  if (posix_memalign(&block, 4096, 4096) == 0) memset(block, 'x', 4096);
  fd = open("direct", O_RDWR | O_CREAT | O_TRUNC | O_DIRECT, 0644);
  report("O_DIRECT", fd >= 0 && write(fd, block, 4096) == 4096);
  close(fd);
  fd = open(".", O_TMPFILE | O_RDWR, 0600);
  report("O_TMPFILE", fd >= 0);
  close(fd);
  fd = open("appended", O_WRONLY | O_CREAT | O_APPEND, 0644);
  report("O_APPEND", write(fd, "a", 1) == 1 && lseek(fd, 0, SEEK_SET) == 0 &&
                         write(fd, "b", 1) == 1 && holds("appended", "ab"));
  close(fd);
}

static void attributes(void) {
  close(make("attributes", ""));
  char value[8] = {0};
  report("xattr", setxattr("attributes", "user.test", "v", 1, 0) == 0 &&
                      getxattr("attributes", "user.test", value, 8) == 1 && value[0] == 'v');
  struct stat status;
  report("chmod", chmod("attributes", 0751) == 0 && stat("attributes", &status) == 0 &&
                      (status.st_mode & 07777) == 0751);
  const struct timespec times[2] = {{1, 2}, {3, 4}};
  report("times", utimensat(AT_FDCWD, "attributes", times, 0) == 0 &&
                      stat("attributes", &status) == 0 && status.st_mtim.tv_sec == 3 &&
                      status.st_mtim.tv_nsec == 4);
  report("owner", status.st_uid == getuid() && status.st_gid == getgid());
}

static void watch(void) {
  const int fd = inotify_init1(IN_NONBLOCK);
  const int watched = inotify_add_watch(fd, ".", IN_CREATE | IN_MOVED_TO);
  close(make("seen", ""));
  char events[4096];
  report("inotify", watched >= 0 && read(fd, events, sizeof events) > 0);
  close(fd);
}

static int write_all(const char* directory) {
  if (chdir(directory) != 0) {
    perror(directory);
    return 2;
  }
  mappings();
  locks();
  names();
  sizes();
  attributes();
  watch();
  return failures != 0;
}

static int read_all(const char* file, const char* directory) {
  const int fd = open(file, O_RDONLY);
  const unsigned char* code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
  report("mmap of code", code != MAP_FAILED && code[0] == 0x7f);
  const char* shared = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
  report("mmap shared, read-only", shared != MAP_FAILED && shared[1] == 'E');
  struct statx status;
  report("statx", statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status) == 0 &&
                      (status.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS &&
                      S_ISREG(status.stx_mode) && status.stx_nlink >= 1 &&
                      status.stx_uid == getuid());
  report("not for writing", open(file, O_WRONLY) == -1 && (errno == EROFS || errno == EACCES || errno == ETXTBSY));
  errno = 0;
  // Each entry is found again by the position that telldir() gave for it.
  DIR* listing = opendir(directory);
  long places[512];
  char entries[512][256];
  int count = 0;
  for (const struct dirent* entry; listing && count < 512;) {
    places[count] = telldir(listing);
    entry = readdir(listing);
    if (!entry) break;
    strcpy(entries[count++], entry->d_name);
  }
  int right = count > 100;
  for (int i = count - 1; i >= 0 && right; i -= 7) {
    seekdir(listing, places[i]);
    const struct dirent* entry = readdir(listing);
    right = entry && strcmp(entry->d_name, entries[i]) == 0;
  }
  report("readdir with seek", right);
  rewinddir(listing);
  int again = 0;
  while (readdir(listing)) ++again;
  report("rewinddir", again == count);
  return failures != 0;
}

static int hold(const char* file, int wait) {
  const int fd = open(file, O_RDWR);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  printf("fcntl: %s\n", fcntl(fd, F_SETLK, &lock) == 0 ? "ok" : "taken");
  const int other = open(file, O_RDWR);
  printf("flock: %s\n", flock(other, LOCK_EX | LOCK_NB) == 0 ? "ok" : "taken");
  fflush(stdout);
  char byte;
  return wait && read(0, &byte, 1) < 0;
}

int main(int count, char** words) {
  if (count == 3 && strcmp(words[1], "write") == 0) return write_all(words[2]);
  if (count == 4 && strcmp(words[1], "read") == 0) return read_all(words[2], words[3]);
  if (count == 3 && strcmp(words[1], "hold") == 0) return hold(words[2], 1);
  if (count == 3 && strcmp(words[1], "try") == 0) return hold(words[2], 0);
  return 2;
}
