// SPDX-License-Identifier: MIT
/* decode BLOCKS THREADS: microseconds that so many threads take to read and decode all of
 * BLOCKS (stored_blocks.py): what no reader of a compressed image does without. Each block
 * is taken by whoever is free, and nothing is done with it. */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

enum { block = 128 << 10, most = 1 << 16, most_threads = 64 };
struct stored {
  off_t at;
  uint32_t size, bytes;
};
static struct stored blocks[most];
static int file, count, next;

static void *decode(void *ignored) {
  (void)ignored;
  char *in = malloc(block), *out = malloc(block);
  ZSTD_DCtx *context = ZSTD_createDCtx();
  for (int i; (i = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < count;) {
    const struct stored *one = &blocks[i];
    if (pread(file, in, one->bytes, one->at) != (ssize_t)one->bytes ||
        ZSTD_decompressDCtx(context, out, block, in, one->bytes) != one->size) {
      _exit(1);
    }
  }
  return NULL;
}

int main(int argc, char **argv) {
  const int threads = argc == 3 ? atoi(argv[2]) : 0;
  if (threads < 1 || threads > most_threads) return 2;
  file = open(argv[1], O_RDONLY);
  uint32_t head[2];
  off_t at = 0;
  for (; count < most && pread(file, head, sizeof head, at) == sizeof head; at += head[1]) {
    at += sizeof head;
    if (head[1] > block) return 1;
    blocks[count++] = (struct stored){at, head[0], head[1]};
  }
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  pthread_t thread[most_threads];
  for (int i = 0; i < threads; i++) pthread_create(&thread[i], NULL, decode, NULL);
  for (int i = 0; i < threads; i++) pthread_join(thread[i], NULL);
  clock_gettime(CLOCK_MONOTONIC, &to);
  printf("%lld\n", (long long)(to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000);
  return count > 0 ? 0 : 1;
}
