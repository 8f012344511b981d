// SPDX-License-Identifier: MIT
package io.rootlet;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * A perl or python3 of the host that holds the program in memory: it reads it from its stdin, says where
 * it is, and waits there for the end of this JVM, with which the memory goes. One for each JVM.
 */
final class MemoryHolder {
  // 319 and 279: memfd_create on x86-64 and on 64-bit ARM.
  private static final String PERL = """
      my $name = "rootlet-stub"; my $fd = syscall($ARGV[0], $name, 1); exit 1 if $fd < 0;
      open(my $out, ">&=", $fd) or exit 1; binmode $out; binmode STDIN; my $left = $ARGV[1];
      while ($left > 0) {
        my $got = sysread(STDIN, my $part, $left < 65536 ? $left : 65536); exit 1 unless $got;
        for (my $at = 0; $at < $got;) { my $put = syswrite($out, $part, $got - $at, $at); exit 1 unless $put; $at += $put }
        $left -= $got;
      }
      $| = 1; print "$$ $fd\\n"; sysread(STDIN, my $end, 1);
      """;
  private static final String PYTHON = """
      import os, sys
      fd, left = os.memfd_create("rootlet-stub"), int(sys.argv[2])
      while left > 0:
          part = os.read(0, min(left, 65536))
          if not part: sys.exit(1)
          left -= len(part)
          while part: part = part[os.write(fd, part):]
      os.write(1, b"%d %d\\n" % (os.getpid(), fd))
      os.read(0, 1)
      """;

  // Held, as their stdin is what keeps the holder.
  private static Process holder;

  private MemoryHolder() {}

  static List<String> make(byte[] program) throws IOException {
    String call = Machine.classifier().endsWith("aarch_64") ? "279" : "319";
    IOException first = null;
    for (Map.Entry<String, String> way : List.of(Map.entry("perl", PERL), Map.entry("python3", PYTHON))) {
      String option = way.getKey().equals("perl") ? "-e" : "-c";
      try {
        return start(List.of(way.getKey(), option, way.getValue(), call, String.valueOf(program.length)), program);
      } catch (IOException e) {
        if (first == null) first = e;
        else first.addSuppressed(e);
      }
    }
    throw new IOException("neither perl nor python3 can hold it: " + first.getMessage(), first);
  }

  private static List<String> start(List<String> command, byte[] program) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD);
    builder.environment().keySet().removeIf(name -> name.startsWith("PERL") || name.startsWith("PYTHON"));
    builder.directory(new java.io.File("/")); // so that it holds no directory busy
    Process process = builder.start();
    try {
      OutputStream in = process.getOutputStream();
      in.write(program);
      in.flush();
      String said = new BufferedReader(
          new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII)).readLine();
      if (said == null) throw new IOException(command.get(0) + " cannot make it");
      String[] parts = said.split(" ");
      holder = process;
      return List.of("/proc/" + parts[0] + "/fd/" + parts[1]);
    } catch (IOException | RuntimeException e) {
      process.destroyForcibly();
      throw new IOException(command.get(0) + ": " + e.getMessage(), e);
    }
  }

  /** Whether it still holds the program. */
  static boolean isAlive() {
    return holder == null || holder.isAlive();
  }
}
