// SPDX-License-Identifier: MIT
/* launches ROUNDS FILE: times whole launches of several commands, interleaved.
 *
 * FILE holds one case a line: NAME<TAB>COMMAND, words split at blanks. Every
 * round starts each case once, in a rotated order, so that a drifting machine
 * hits all alike. Prints NAME<TAB>ROUND<TAB>MICROSECONDS<TAB>STATUS for each
 * launch: the time from before the fork to after the wait. Three rounds more
 * are run first and not printed. */
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
    char *tab = strchr(line, '\t');
    if (!tab) continue;
    *tab = 0;
    cases[count].name = strdup(line);
    int word = 0;
    for (char *w = strtok(strdup(tab + 1), " "); w && word < max_words - 1; w = strtok(NULL, " "))
      cases[count].words[word++] = w;
    count++;
  }
  fclose(file);
  return count;
}

static int launch(const struct launch_case *c, uint64_t *took) {
  const uint64_t start = microseconds();
  const pid_t pid = vfork();
  if (pid == 0) {
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, 0);
    dup2(null, 1);
    execvp(c->words[0], c->words);
    _exit(127);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  *took = microseconds() - start;
  return status;
}

int main(int argc, char **argv) {
  static struct launch_case cases[max_cases];
  if (argc != 3) return 2;
  const int rounds = atoi(argv[1]);
  const int count = read_cases(argv[2], cases);
  if (count <= 0) return 2;
  for (int round = -warm_up; round < rounds; round++) {
    for (int i = 0; i < count; i++) {
      const struct launch_case *c = &cases[(i + round + warm_up) % count];
      uint64_t took = 0;
      const int status = launch(c, &took);
      if (round >= 0) printf("%s\t%d\t%lu\t%d\n", c->name, round, (unsigned long)took, status);
    }
  }
  return 0;
}
