// SPDX-License-Identifier: MIT
/* spin MILLISECONDS: a tool that takes that much processor time. */
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv) {
  const clock_t end = (clock_t)(atol(argc > 1 ? argv[1] : "1000") * (CLOCKS_PER_SEC / 1000));
  volatile unsigned long turns = 0;
  while (clock() < end) {
    for (int i = 0; i < 20000; i++) turns++;
  }
  return 0;
}
