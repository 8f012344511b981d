// SPDX-License-Identifier: MIT
import io.rootlet.Tool;
import io.rootlet.ToolCommand;
import io.rootlet.ToolRun;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.UUID;
import java.util.zip.ZipEntry;

/**
 * Prints the microseconds from asking for a tool of the class path to the first byte of its output, or, for
 * `native` and `run`, how long so many MB take through it and back.
 */
public final class FirstByte {
  private static final String RESOURCE = "META-INF/rootlet/tool/" + machine() + "/tool.AppImage";

  private static String machine() {
    return System.getProperty("os.arch").equals("aarch64") ? "linux-aarch_64" : "linux-x86_64";
  }

  public static void main(String[] words) throws Exception {
    Path place = Path.of(words[1]);
    if (words[0].equals("native") || words[0].equals("run")) {
      through(words[0].equals("run"), place, Integer.parseInt(words[2]));
      return;
    }
    long from = System.nanoTime();
    Tool tool = switch (words[0]) {
      case "mounted" -> Tool.fromClasspath("tool");
      case "extracted" -> Tool.fromFile(extracted(place));
      case "cached" -> Tool.fromFile(cached(place));
      default -> throw new IllegalArgumentException(words[0]);
    };
    try (ToolRun run = tool.command("cat").profile(ToolCommand.Profile.ISOLATED).start()) {
      run.feed(out -> out.write('x'));
      if (run.stdout().read() != 'x') throw new IOException("another byte came out");
      System.out.println((System.nanoTime() - from) / 1000);
      run.await();
    }
  }

  private static URL resource() {
    return FirstByte.class.getClassLoader().getResource(RESOURCE);
  }

  /** As sqlite-jdbc's loader: into a file of its own for each JVM, which is compared with the entry. */
  private static Path extracted(Path place) throws IOException {
    Path file = place.resolve("tool-" + UUID.randomUUID());
    file.toFile().deleteOnExit();
    try (InputStream in = resource().openStream()) {
      Files.copy(in, file);
    }
    try (InputStream in = resource().openStream(); InputStream there = Files.newInputStream(file)) {
      byte[] part = new byte[1 << 16];
      for (int got = in.read(part); got > 0; got = in.read(part)) {
        byte[] same = there.readNBytes(got);
        if (!java.util.Arrays.equals(part, 0, got, same, 0, same.length)) throw new IOException("it differs");
      }
    }
    file.toFile().setExecutable(true);
    return file;
  }

  /** As JavaCPP's: a cache below one lock, in which size and time tell whether a file is the entry. */
  private static Path cached(Path place) throws IOException {
    JarURLConnection connection = (JarURLConnection) resource().openConnection();
    ZipEntry entry = connection.getJarEntry();
    Path file = place.resolve("tool.cached");
    try (FileChannel channel = FileChannel.open(place.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
         FileLock lock = channel.lock()) {
      if (lock.isValid() && Files.exists(file) && Files.size(file) == entry.getSize()
          && Files.getLastModifiedTime(file).toMillis() == entry.getTime()) {
        return file;
      }
      try (InputStream in = connection.getInputStream(); OutputStream out = Files.newOutputStream(file)) {
        in.transferTo(out);
      }
      Files.setLastModifiedTime(file, FileTime.fromMillis(entry.getTime()));
      file.toFile().setExecutable(true);
    }
    return file;
  }

  private static void through(boolean ours, Path program, int megabytes) throws Exception {
    byte[] block = new byte[1 << 20];
    long from = System.nanoTime();
    if (ours) {
      try (ToolRun run = Tool.fromClasspath("tool").command("cat").start()) {
        run.feed(out -> write(out, block, megabytes));
        drain(run.stdout());
        run.await();
      }
    } else {
      Process process = new ProcessBuilder(program.toString(), "cat").start();
      Thread writer = new Thread(() -> {
        try (OutputStream out = process.getOutputStream()) {
          write(out, block, megabytes);
        } catch (IOException e) {
          throw new java.io.UncheckedIOException(e);
        }
      });
      writer.start();
      drain(process.getInputStream());
      process.waitFor();
    }
    System.out.println((System.nanoTime() - from) / 1000);
  }

  private static void write(OutputStream out, byte[] block, int count) throws IOException {
    for (int i = 0; i < count; i++) out.write(block);
  }

  private static void drain(InputStream in) throws IOException {
    byte[] part = new byte[1 << 16];
    while (in.read(part) >= 0) {
      continue;
    }
  }
}
