// SPDX-License-Identifier: MIT
package io.rootlet.spark.run;

import io.rootlet.Tool;
import io.rootlet.ToolException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;

/** Prints where readers find the image "probe" in each jar: "PATH ours OFFSET LENGTH" and "PATH compress ...". */
public final class Locate {
  private Locate() {}

  public static void main(String[] words) {
    String entry = words[0];
    boolean both = words[1].equals("both");
    for (int i = 2; i < words.length; i++) {
      System.out.println(words[i] + "\tours\t" + ours(Path.of(words[i])));
      if (both) System.out.println(words[i] + "\tcompress\t" + compress(new File(words[i]), entry));
    }
  }

  private static String ours(Path jar) {
    try {
      String location = Tool.fromJar(jar, "probe").location();
      return location.substring(location.lastIndexOf('@') + 1).replace(':', ' ');
    } catch (ToolException e) {
      return e.getClass().getSimpleName();
    }
  }

  private static String compress(File jar, String name) {
    try (ZipFile zip = ZipFile.builder().setFile(jar).get()) {
      ZipArchiveEntry entry = zip.getEntry(name);
      zip.getRawInputStream(entry).close(); // it looks for the bytes only then
      return entry.getDataOffset() + " " + entry.getSize();
    } catch (IOException e) {
      return e.toString();
    }
  }
}
