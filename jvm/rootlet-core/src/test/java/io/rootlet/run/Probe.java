// SPDX-License-Identifier: MIT
package io.rootlet.run;

import io.rootlet.Tool;
import io.rootlet.ToolCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The image of the tests: a jar of the class path holds it as "probe". */
final class Probe {
  static final Tool TOOL = Tool.fromClasspath("probe");
  static final Path JAR = Path.of(System.getProperty("rootlet.test.jar"));
  static final Path IMAGE = Path.of(System.getProperty("rootlet.test.image"));

  private Probe() {}

  /** A line of shell inside. */
  static ToolCommand shell(String script, String... more) {
    List<String> words = new java.util.ArrayList<>(List.of("-c", script));
    words.addAll(List.of(more));
    return TOOL.command(words).program("/bin/sh");
  }

  /** How many processes of this PID namespace have this name and live. */
  static long living(String name) throws IOException {
    try (Stream<Path> entries = Files.list(Path.of("/proc"))) {
      return entries.filter(entry -> isLiving(entry, name)).count();
    }
  }

  private static boolean isLiving(Path entry, String name) {
    try {
      String text = Files.readString(entry.resolve("stat"));
      String command = text.substring(text.indexOf('(') + 1, text.lastIndexOf(')'));
      return command.equals(name) && text.charAt(text.lastIndexOf(')') + 2) != 'Z';
    } catch (IOException e) {
      return false;
    }
  }

  /** Waits until a condition holds, for ten seconds at most. */
  static void until(String what, Condition condition) throws Exception {
    long end = System.nanoTime() + 10_000_000_000L;
    while (!condition.holds()) {
      if (System.nanoTime() > end) throw new AssertionError("not within ten seconds: " + what);
      Thread.sleep(5);
    }
  }

  interface Condition {
    boolean holds() throws Exception;
  }
}
