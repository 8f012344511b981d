// SPDX-License-Identifier: MIT
/* launches ROUNDS FILE [COUNT JOBS]: times whole launches of several commands,
 * interleaved.
 *
 * FILE holds one case a line: NAME, then the words of its command, each behind
 * a tab. Every round times each case once, in a rotated order, so that a
 * drifting machine hits all alike: one launch, or with COUNT and JOBS that many
 * launches of it, JOBS at a time. Prints NAME<TAB>ROUND<TAB>MICROSECONDS<TAB>FAILED
 * for each: the time from before the first fork to after the last wait, and how
 * many did not end with 0. Three rounds of single launches are run first and
 * not printed. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { max_cases = 64, max_words = 128, warm_up = 3 };
struct launch_case {
  char *name;
  char *words[max_words];
};

static uint64_t microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static int read_cases(const char *path, struct launch_case *cases) {
  FILE *file = fopen(path, "r");
  if (!file) return -1;
  char *line = NULL;
  size_t size = 0;
  int count = 0;
  while (count < max_cases && getline(&line, &size, file) > 0) {
    line[strcspn(line, "\n")] = 0;
    char *rest = strdup(line);
    cases[count].name = strsep(&rest, "\t");
    int word = 0;
    for (char *w; (w = strsep(&rest, "\t")) && word < max_words - 1;) cases[count].words[word++] = w;
    if (word > 0) count++;
  }
  fclose(file);
  return count;
}

static pid_t start(const struct launch_case *c) {
  const pid_t pid = vfork();
  if (pid == 0) {
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, 0);
    dup2(null, 1);
    execvp(c->words[0], c->words);
    _exit(127);
  }
  return pid;
}

/* Returns how many failed. */
static int launch(const struct launch_case *c, int count, int jobs, uint64_t *took) {
  const uint64_t before = microseconds();
  int started = 0, ended = 0, failed = 0;
  while (ended < count) {
    while (started < count && started - ended < jobs) {
      if (start(c) < 0) failed++, ended++;
      started++;
    }
    int status = -1;
    if (wait(&status) < 0) break;
    ended++;
    failed += status != 0;
  }
  *took = microseconds() - before;
  return failed;
}

int main(int argc, char **argv) {
  static struct launch_case cases[max_cases];
  if (argc != 3 && argc != 5) return 2;
  const int rounds = atoi(argv[1]);
  const int launches = argc == 5 ? atoi(argv[3]) : 1, jobs = argc == 5 ? atoi(argv[4]) : 1;
  const int count = read_cases(argv[2], cases);
  if (count <= 0) return 2;
  for (int round = -warm_up; round < rounds; round++) {
    for (int i = 0; i < count; i++) {
      const struct launch_case *c = &cases[(i + round + warm_up) % count];
      uint64_t took = 0;
      const int failed = launch(c, round < 0 ? 1 : launches, round < 0 ? 1 : jobs, &took);
      if (round < 0) continue;
      printf("%s\t%d\t%lu\t%d\n", c->name, round, (unsigned long)took, failed);
      fflush(stdout);
    }
  }
  return 0;
}
