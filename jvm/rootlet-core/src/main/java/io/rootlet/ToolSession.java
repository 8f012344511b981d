// SPDX-License-Identifier: MIT
package io.rootlet;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Runs that share warm image servers: an image is opened once, and what one run has read of it the next
 * has at hand. The servers watch this JVM by a descriptor: they end with it, however it ends, and leave
 * nothing. Closing a session ends its runs, and its servers a second later.
 */
public final class ToolSession implements AutoCloseable {
  /** How long a server waits for a next run. */
  static final int KEEP_SECONDS = 600;
  private static ToolSession ofJvm;

  private final Path directory;
  private final Set<ToolRun> runs = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  private ToolSession(Path directory) {
    this.directory = directory;
  }

  /** A session of its own. */
  public static ToolSession open() {
    Path memory = Path.of("/dev/shm");
    Path around = Files.isWritable(memory) ? memory : Path.of(System.getProperty("java.io.tmpdir", "/tmp"));
    // Servers listen at a socket in it. The first run makes it: were it made here, and this JVM killed
    // before that, nobody would remove it.
    return new ToolSession(around.toAbsolutePath().resolve(
        "rootlet-" + ProcessHandle.current().pid() + "-" + UUID.randomUUID()));
  }

  /** The one of this JVM, made when it is first asked for. */
  public static synchronized ToolSession ofJvm() {
    if (ofJvm == null || ofJvm.closed) {
      ToolSession session = open();
      Runtime.getRuntime().addShutdownHook(new Thread(session::close));
      ofJvm = session;
    }
    return ofJvm;
  }

  void prepare(Map<String, String> environment) {
    if (closed) throw new IllegalStateException("the session is closed");
    environment.put("XDG_RUNTIME_DIR", directory.toString());
  }

  void add(ToolRun run) {
    runs.add(run);
    if (!closed) return;
    run.cancel("its session was closed");
    removeAll();
  }

  void remove(ToolRun run) {
    runs.remove(run);
  }

  @Override
  public void close() {
    closed = true;
    for (ToolRun run : runs) run.cancel("its session was closed");
    removeAll();
  }

  private void removeAll() {
    remove(directory.resolve("rootlet"));
    remove(directory);
  }

  // A server whose name is gone is found by nobody, and ends.
  private static void remove(Path directory) {
    try (DirectoryStream<Path> names = Files.newDirectoryStream(directory)) {
      for (Path name : names) Files.deleteIfExists(name);
    } catch (IOException e) {
      // It was not made, or the last server has taken it along.
    }
    try {
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      // A run that is just ending has put its socket there: it goes with its server.
    }
  }
}
