// SPDX-License-Identifier: MIT
package io.rootlet;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

/**
 * Where an image lies: a file, from `offset` on, `length` bytes. `stubLength`: how many of these come
 * in front of its squashfs, 0 where that is not known. `digest`: "sha256:..." as its description has it,
 * else "".
 */
record Image(String name, Path file, long offset, long length, long stubLength, String digest,
    String entry, String stamp) {

  /** As the launcher's option `image` takes it. */
  String location() {
    return file + "@" + offset + ":" + length;
  }

  /** Whether the file is still the one in which the image was found. */
  boolean isUnchanged() {
    try {
      return stamp.equals(stampOf(file));
    } catch (IOException e) {
      return false;
    }
  }

  /** What tells one state of a file from the next: device and inode, size, time. */
  static String stampOf(Path file) throws IOException {
    BasicFileAttributes status = Files.readAttributes(file, BasicFileAttributes.class);
    return status.fileKey() + " " + status.size() + " " + status.lastModifiedTime();
  }
}
