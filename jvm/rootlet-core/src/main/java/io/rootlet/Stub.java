// SPDX-License-Identifier: MIT
package io.rootlet;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * How the launcher comes to life: the words that a command begins with. The launcher is a static program
 * of less than a megabyte, a resource of this library; it is never taken from an image.
 *
 * <p>The ways, in order; the system property rootlet.stub names others (jar,memfd,holder,cache):
 *
 * <ol>
 *   <li>jar: the jar or file of the image itself, where it is executable and begins with this very launcher
 *   <li>memfd: memory of this JVM (jdk.incubator.foreign on 17, java.lang.foreign from 22 on)
 *   <li>holder: memory of a perl or python3 that waits for this JVM's end
 *   <li>cache: a file, in the first private directory from which programs may be executed
 * </ol>
 *
 * Each way is tried, by asking the launcher for its version, before it is taken.
 */
record Stub(String rung, List<String> command) {
  static final String VERSION = "0.1.0";
  private static final List<String> RUNGS = List.of("jar", "memfd", "holder", "cache");

  private static Stub ofJvm; // of the ways that do not depend on an image
  private static byte[] program;

  /** One way to bring it to life. Returns the words, or throws with the reason why not. */
  private interface Way {
    List<String> tryIt(byte[] program) throws IOException;
  }

  /** The launcher for runs of an image of this file; null: of none. */
  static Stub of(Path file) {
    if (file != null && wanted().contains("jar") && ExecutableJar.beginsWith(file, program())) {
      return new Stub("jar", List.of(file.toString()));
    }
    return ofJvm(file);
  }

  /** The one that all images of this JVM share. */
  static synchronized Stub ofJvm(Path file) {
    List<String> wanted = wanted();
    if (ofJvm != null && wanted.contains(ofJvm.rung) && MemoryHolder.isAlive()) return ofJvm;
    List<String> reasons = new ArrayList<>();
    for (String rung : wanted) {
      if (rung.equals("jar")) {
        if (file != null) reasons.add("jar: " + ExecutableJar.whyNot(file));
        continue;
      }
      try {
        List<String> command = way(rung).tryIt(program());
        check(command);
        ofJvm = new Stub(rung, command);
        return ofJvm;
      } catch (IOException | RuntimeException e) {
        reasons.add(rung + ": " + e.getMessage());
      }
    }
    throw new ToolException.HostUnsupported(ToolException.Context.of("the launcher",
        "point XDG_CACHE_HOME or -Drootlet.cache=DIR to a private directory that is not mounted noexec"),
        HostReport.Reason.NOEXEC, "it cannot be executed: " + String.join("; ", reasons), null);
  }

  private static Way way(String rung) {
    switch (rung) {
      case "memfd":
        return Memfd::make;
      case "holder":
        return MemoryHolder::make;
      case "cache":
        return StubCache::make;
      default:
        throw new IllegalArgumentException("-Drootlet.stub=" + rung + ": the ways are " + RUNGS);
    }
  }

  private static List<String> wanted() {
    String given = System.getProperty("rootlet.stub", "");
    return given.isEmpty() ? RUNGS : Arrays.asList(given.split(","));
  }

  static synchronized byte[] program() {
    if (program != null) return program;
    String path = "/META-INF/rootlet-stub/" + Machine.classifier() + "/rootlet-stub";
    try (InputStream in = Stub.class.getResourceAsStream(path)) {
      if (in == null) {
        throw new ToolException.ArchUnsupported(ToolException.Context.of("the launcher", ""),
            "this library has none for " + Machine.classifier());
      }
      program = in.readAllBytes();
      return program;
    } catch (IOException e) {
      throw new ToolException.PayloadCorrupt(ToolException.Context.of("the launcher", ""), "it cannot be read", e);
    }
  }

  private static void check(List<String> command) throws IOException {
    List<String> words = new ArrayList<>(command);
    words.add("--rootlet-version");
    ProcessBuilder builder = new ProcessBuilder(words).redirectErrorStream(true);
    Launch.clean(builder.environment());
    Process process = builder.start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readNBytes(1000), StandardCharsets.UTF_8).strip();
    try {
      if (process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0) return;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      process.destroyForcibly();
    }
    throw new IOException("it does not start: " + said);
  }

  /** The first way: a file that is jar and program in one. */
  private static final class ExecutableJar {
    private static volatile String known = ""; // the state of the last file that was compared, and the answer

    private ExecutableJar() {}

    static boolean beginsWith(Path file, byte[] program) {
      if (!Files.isExecutable(file)) return false; // so it is on noexec mounts, too
      try {
        String stamp = file + " " + Image.stampOf(file) + " ";
        if (!known.startsWith(stamp)) known = stamp + compare(file, program);
        return known.equals(stamp + true);
      } catch (IOException e) {
        return false;
      }
    }

    static String whyNot(Path file) {
      return file + (Files.isExecutable(file) ? " does not begin with this launcher" : " is not executable");
    }

    private static boolean compare(Path file, byte[] program) throws IOException {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
        ByteBuffer head = ByteBuffer.allocate(program.length);
        while (head.hasRemaining() && channel.read(head) >= 0) continue;
        return Arrays.equals(head.array(), program);
      }
    }
  }
}
