// SPDX-License-Identifier: MIT
package io.rootlet;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Where a launcher reports: a file without a name, which it opens by this JVM's descriptor
 * (/proc/PID/fd/N). ProcessBuilder hands on no descriptor above 2; a socket or a FIFO needs a name, and a
 * JVM that is killed would leave it behind. The name is taken away before the first run, and slots are
 * used again.
 */
final class StatusSlot implements AutoCloseable {
  private static final int LONGEST = 64 << 10;
  private static final Deque<StatusSlot> FREE = new ArrayDeque<>();

  private final FileChannel file;
  private final String path;

  private StatusSlot(FileChannel file, String path) {
    this.file = file;
    this.path = path;
  }

  static StatusSlot take() throws IOException {
    synchronized (FREE) {
      StatusSlot slot = FREE.poll();
      if (slot != null) return slot;
    }
    IOException first = null;
    for (String directory : List.of("/dev/shm", System.getProperty("java.io.tmpdir", "/tmp"),
        System.getProperty("user.dir", "."))) {
      try {
        return make(Path.of(directory));
      } catch (IOException e) {
        if (first == null) first = e;
        else first.addSuppressed(e);
      }
    }
    throw first;
  }

  /** Memory first: a full disk must not cost a run its report. */
  private static StatusSlot make(Path directory) throws IOException {
    Path name = directory.toRealPath().resolve("rootlet-status-" + UUID.randomUUID());
    FileChannel file = FileChannel.open(name, java.util.Set.of(StandardOpenOption.CREATE_NEW,
        StandardOpenOption.READ, StandardOpenOption.WRITE),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try {
      Files.delete(name);
      return new StatusSlot(file, descriptorOf(name + " (deleted)"));
    } catch (IOException e) {
      file.close();
      throw e;
    }
  }

  private static String descriptorOf(String target) throws IOException {
    Path all = Path.of("/proc/" + ProcessHandle.current().pid() + "/fd");
    try (Stream<Path> entries = Files.list(all)) {
      for (Path entry : (Iterable<Path>) entries::iterator) {
        try {
          if (Files.readSymbolicLink(entry).toString().equals(target)) return entry.toString();
        } catch (IOException e) {
          // Closed meanwhile by another thread.
        }
      }
    }
    throw new IOException("no descriptor of " + target + " in " + all);
  }

  String path() {
    return path;
  }

  /** What was reported, in order. A line that is cut short, as on a full disk, is left out. */
  List<Map<String, Object>> events() {
    List<Map<String, Object>> events = new ArrayList<>();
    try {
      ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(file.size(), LONGEST));
      while (bytes.hasRemaining() && file.read(bytes, bytes.position()) >= 0) continue;
      for (String line : StandardCharsets.UTF_8.decode(bytes.flip()).toString().split("\n")) {
        if (line.startsWith("{") && line.endsWith("}")) events.add(Json.object(line));
      }
    } catch (IOException | IllegalArgumentException e) {
      // Then there is no report, which is no success.
    }
    return events;
  }

  /** For the next run; only after the launcher has ended. */
  @Override
  public void close() {
    try {
      file.truncate(0);
      synchronized (FREE) {
        FREE.push(this);
      }
    } catch (IOException e) {
      discard();
    }
  }

  /** When the launcher may still write to it. */
  void discard() {
    try {
      file.close();
    } catch (IOException e) {
      // It has no name: nothing is left.
    }
  }
}
