// SPDX-License-Identifier: MIT
/* reader FILE MIB READERS: random reads of 4 KiB, MIB of them for each of
 * READERS processes, from one file, without the kernel's read-ahead. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { block = 4096 };

static int read_some(const char *path, long blocks, uint64_t seed) {
  static char buffer[block];
  const int fd = open(path, O_RDONLY);
  const off_t size = lseek(fd, 0, SEEK_END);
  if (fd < 0 || size < block) return 1;
  posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
  for (long i = 0; i < blocks; i++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    const off_t at = (off_t)((seed >> 20) % (uint64_t)(size / block)) * block;
    if (pread(fd, buffer, block, at) != block) return 1;
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  const int readers = atoi(argv[3]);
  for (int i = 0; i < readers; i++) {
    if (fork() == 0) _exit(read_some(argv[1], atol(argv[2]) * (1048576 / block), (uint64_t)i + 1));
  }
  int status, failed = 0;
  while (wait(&status) > 0) failed |= status != 0;
  return failed;
}
