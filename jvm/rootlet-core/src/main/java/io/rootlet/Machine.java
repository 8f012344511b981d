// SPDX-License-Identifier: MIT
package io.rootlet;

import java.util.List;
import java.util.Locale;

/** The kind of this machine, as os-maven-plugin writes it: linux-x86_64, linux-aarch_64. */
final class Machine {
  static final List<String> CLASSIFIERS = List.of("linux-x86_64", "linux-aarch_64");

  private Machine() {}

  static String classifier() {
    String system = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
    String processor = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
    return (system.startsWith("linux") ? "linux" : system) + "-" + normalized(processor);
  }

  private static String normalized(String processor) {
    switch (processor) {
      case "amd64":
      case "x86_64":
      case "x64":
        return "x86_64";
      case "aarch64":
      case "arm64":
        return "aarch_64";
      default:
        return processor;
    }
  }
}
