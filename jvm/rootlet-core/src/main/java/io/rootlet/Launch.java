// SPDX-License-Identifier: MIT
package io.rootlet;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The command line of a run: the launcher, our options, the tool's arguments. */
final class Launch {
  private Launch() {}

  /** Options first, as the launcher reads them only while they lead. */
  static List<String> words(Stub stub, Image image, ToolCommand command, String status) {
    List<String> words = new ArrayList<>(stub.command());
    if (!status.isEmpty()) words.add("--rootlet-status=" + status); // first: it tells mistakes in the others
    words.add("--rootlet-die-with-parent=" + ProcessHandle.current().pid());
    words.addAll(options(image.location(), command));
    words.addAll(command.arguments());
    return words;
  }

  static List<String> options(String location, ToolCommand command) {
    List<String> words = new ArrayList<>();
    words.add("--rootlet-keep=" + (command.session() == null ? 0 : ToolSession.KEEP_SECONDS));
    words.add("--rootlet-image=" + location);
    for (String option : command.options()) words.add("--rootlet-" + option);
    return words;
  }

  /** Variables that would change what our own options mean. */
  static void clean(Map<String, String> environment) {
    environment.remove("ROOTLET_RAW_ARGS");
    environment.remove("TARGET_APPIMAGE");
  }
}
