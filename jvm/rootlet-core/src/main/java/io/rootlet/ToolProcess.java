// SPDX-License-Identifier: MIT
package io.rootlet;

import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A run as a Process. destroy() sends SIGTERM to the tool and, a moment later, ends the run with all that
 * it started; a plain Process would reach the first process alone.
 */
final class ToolProcess extends Process {
  private final Process launcher;
  private final Duration grace;

  ToolProcess(Process launcher, Duration grace) {
    this.launcher = launcher;
    this.grace = grace;
  }

  @Override
  public void destroy() {
    launcher.destroy();
    Threads.later(grace, launcher::destroyForcibly);
  }

  /** The launcher's end is the end of all. */
  @Override
  public Process destroyForcibly() {
    launcher.destroyForcibly();
    return this;
  }

  @Override
  public OutputStream getOutputStream() {
    return launcher.getOutputStream();
  }

  @Override
  public InputStream getInputStream() {
    return launcher.getInputStream();
  }

  @Override
  public InputStream getErrorStream() {
    return launcher.getErrorStream();
  }

  @Override
  public int waitFor() throws InterruptedException {
    return launcher.waitFor();
  }

  @Override
  public boolean waitFor(long timeout, TimeUnit unit) throws InterruptedException {
    return launcher.waitFor(timeout, unit);
  }

  @Override
  public int exitValue() {
    return launcher.exitValue();
  }

  @Override
  public boolean isAlive() {
    return launcher.isAlive();
  }

  @Override
  public boolean supportsNormalTermination() {
    return launcher.supportsNormalTermination();
  }

  @Override
  public long pid() {
    return launcher.pid();
  }

  @Override
  public ProcessHandle toHandle() {
    return launcher.toHandle();
  }

  @Override
  public Stream<ProcessHandle> descendants() {
    return launcher.descendants();
  }

  @Override
  public CompletableFuture<Process> onExit() {
    return launcher.onExit().thenApply(ended -> this);
  }
}
