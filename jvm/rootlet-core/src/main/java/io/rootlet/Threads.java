// SPDX-License-Identifier: MIT
package io.rootlet;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** The threads that read from tools: daemons, kept for a few seconds, with nobody's class loader. */
final class Threads {
  private static final ThreadFactory DAEMONS = task -> {
    Thread thread = Executors.defaultThreadFactory().newThread(task);
    thread.setName("rootlet-" + thread.getName());
    thread.setDaemon(true);
    thread.setContextClassLoader(null);
    return thread;
  };
  private static final ThreadPoolExecutor READERS =
      new ThreadPoolExecutor(0, Integer.MAX_VALUE, 5, TimeUnit.SECONDS, new SynchronousQueue<>(), DAEMONS);
  private static final ScheduledThreadPoolExecutor CLOCK = new ScheduledThreadPoolExecutor(1, DAEMONS);

  static {
    CLOCK.setRemoveOnCancelPolicy(true);
  }

  private Threads() {}

  static void run(Runnable task) {
    READERS.execute(task);
  }

  static java.util.concurrent.Future<?> later(Duration time, Runnable task) {
    return CLOCK.schedule(() -> READERS.execute(task), time.toMillis(), TimeUnit.MILLISECONDS);
  }
}
