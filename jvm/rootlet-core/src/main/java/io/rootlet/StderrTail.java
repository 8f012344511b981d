// SPDX-License-Identifier: MIT
package io.rootlet;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Reads stderr to its end: keeps the last bytes, and hands on each line. */
final class StderrTail {
  private static final int LONGEST_LINE = 64 << 10;
  private final byte[] ring;
  private final Consumer<String> lines;
  private final CountDownLatch ended = new CountDownLatch(1);
  private long written;

  StderrTail(int size, Consumer<String> lines) {
    this.ring = new byte[Math.max(size, 1)];
    this.lines = lines;
  }

  void fill(InputStream from) {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    try {
      byte[] buffer = new byte[16 << 10];
      for (int got = from.read(buffer); got >= 0; got = from.read(buffer)) {
        keep(buffer, got);
        if (lines != null) split(buffer, got, line);
      }
    } catch (IOException e) {
      // Closed under it: what was read until then stands.
    } finally {
      if (line.size() > 0) tell(line);
      ended.countDown();
    }
  }

  private synchronized void keep(byte[] bytes, int size) {
    for (int i = Math.max(0, size - ring.length); i < size; i++) {
      ring[(int) ((written + i) % ring.length)] = bytes[i];
    }
    written += size;
  }

  private void split(byte[] bytes, int size, ByteArrayOutputStream line) {
    for (int i = 0; i < size; i++) {
      if (bytes[i] != '\n') line.write(bytes[i]);
      if (bytes[i] == '\n' || line.size() >= LONGEST_LINE) tell(line);
    }
  }

  // Whoever reads may fail; the tool must not be held up by it.
  private void tell(ByteArrayOutputStream line) {
    String text = line.toString(StandardCharsets.UTF_8);
    line.reset();
    try {
      lines.accept(text);
    } catch (RuntimeException e) {
      Thread.currentThread().getUncaughtExceptionHandler().uncaughtException(Thread.currentThread(), e);
    }
  }

  /** Waits for its end, which comes with that of the run. */
  void await(long milliseconds) {
    boolean interrupted = false;
    try {
      ended.await(milliseconds, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      interrupted = true;
    }
    if (interrupted) Thread.currentThread().interrupt();
  }

  synchronized String text() {
    int size = (int) Math.min(written, ring.length);
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) bytes[i] = ring[(int) ((written - size + i) % ring.length)];
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
