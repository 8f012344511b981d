// SPDX-License-Identifier: MIT
package io.rootlet;

import java.net.URI;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Where a resource lies: a file, and the entries that lead to it inside. The forms are file:/FILE,
 * jar:file:/JAR!/ENTRY, jar:file:/JAR!/INNER.jar!/ENTRY and Spring Boot's jar:nested:/JAR/!INNER.jar!/ENTRY.
 */
record ResourcePlace(Path file, List<String> jarEntries) {

  /** Nothing where the resource is in no file of this machine. */
  static ResourcePlace of(URL url) {
    String text = url.toString();
    if (text.startsWith("file:")) return new ResourcePlace(path(text), List.of());
    if (!text.startsWith("jar:")) return null;
    String inner = text.substring("jar:".length());
    if (inner.startsWith("nested:")) {
      inner = "file:" + inner.substring("nested:".length()).replaceFirst("/!", "!/");
    }
    if (!inner.startsWith("file:")) return null;
    List<String> parts = new ArrayList<>(Arrays.asList(inner.split("!/")));
    Path file = path(parts.remove(0));
    return file == null ? null : new ResourcePlace(file, parts.stream().map(ResourcePlace::decoded).toList());
  }

  // By URI: names may hold blanks and percent signs, encoded or, from careless class loaders, not.
  private static Path path(String url) {
    try {
      return Path.of(URI.create(url));
    } catch (IllegalArgumentException e) {
      return Path.of(url.substring("file:".length()));
    }
  }

  private static String decoded(String entry) {
    try {
      return URI.create(entry).getPath();
    } catch (IllegalArgumentException e) {
      return entry;
    }
  }
}
