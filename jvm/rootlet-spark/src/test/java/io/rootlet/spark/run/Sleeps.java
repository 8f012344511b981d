// SPDX-License-Identifier: MIT
package io.rootlet.spark.run;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The sleeping processes of the tests' tools. */
final class Sleeps {
  private Sleeps() {}

  static long count() throws Exception {
    try (Stream<Path> entries = Files.list(Path.of("/proc"))) {
      return entries.filter(Sleeps::isOne).count();
    }
  }

  private static boolean isOne(Path entry) {
    try {
      String stat = Files.readString(entry.resolve("stat"));
      return Files.readString(entry.resolve("cmdline")).equals("sleep\0" + "4321\0")
          && stat.charAt(stat.lastIndexOf(')') + 2) != 'Z';
    } catch (Exception e) {
      return false; // no process, or one that has ended
    }
  }
}
