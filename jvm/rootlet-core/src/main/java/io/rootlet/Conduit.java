// SPDX-License-Identifier: MIT
package io.rootlet;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A pipe that a thread of ours empties into a short queue. Who reads from a pipe itself cannot be
 * interrupted; who waits for the queue can.
 */
final class Conduit {
  private static final byte[] END = new byte[0];
  private static final int PIECE = 64 << 10;
  private static final int WAITING = 8; // pieces: half a megabyte

  private final BlockingQueue<byte[]> pieces = new ArrayBlockingQueue<>(WAITING);
  private volatile boolean unwanted; // the rest is thrown away
  private volatile IOException failure;
  private byte[] current = END;
  private int at;
  private boolean ended;
  private long count;

  void fill(InputStream from) {
    try {
      byte[] buffer = new byte[PIECE];
      for (int got = from.read(buffer); got >= 0; got = from.read(buffer)) {
        put(Arrays.copyOf(buffer, got));
      }
    } catch (IOException e) {
      failure = e; // Closed under it, when the run is ended.
    } finally {
      put(END);
    }
  }

  private void put(byte[] piece) {
    boolean last = piece == END;
    try {
      while ((last || !unwanted) && !pieces.offer(piece, 50, TimeUnit.MILLISECONDS)) {
        if (unwanted) pieces.clear();
      }
    } catch (InterruptedException e) {
      unwanted = true; // Nobody does that.
    }
  }

  /** The next bytes, or -1 at the end. */
  int read(byte[] to, int from, int length) throws InterruptedException {
    if (length == 0) return 0;
    while (at == current.length && !ended) {
      current = pieces.take();
      at = 0;
      ended = current == END;
    }
    if (ended) return -1;
    int size = Math.min(length, current.length - at);
    System.arraycopy(current, at, to, from, size);
    at += size;
    count += size;
    return size;
  }

  int available() {
    return current.length - at;
  }

  long count() {
    return count;
  }

  IOException failure() {
    return failure;
  }

  /** Throws away what comes, so that the tool is not held up by a full pipe. */
  void discard() {
    unwanted = true;
    pieces.clear();
  }
}
