// SPDX-License-Identifier: MIT
package io.rootlet;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/**
 * A tool that runs. Its stdin is written by {@link #feed} in a thread of its own, its stderr is read by
 * one, too, so no pipe holds up another. Closing it ends the run with all that it started.
 *
 * <p>The end of {@link #stdout} is the end of a run that went well: a stream whose run failed, timed out
 * or was cancelled ends with a {@link ToolException}. Output so far does not count then.
 *
 * <p>An interrupt of a thread that waits here ends the run, and is a {@link ToolException.Cancelled}.
 */
public final class ToolRun implements AutoCloseable {
  /** Writes a tool's input. What it throws ends the run, and stands in its error as the cause. */
  @FunctionalInterface
  public interface Feeder {
    void feed(OutputStream stdin) throws Exception;
  }

  private static final long MOMENT = 2000; // ms in which pipes end after the end of all who hold them
  private final ToolCommand command;
  private final Process launcher;
  private final StatusSlot slot;
  private final long started = System.nanoTime();
  private final Conduit output = new Conduit();
  private final StderrTail errors;
  private final InputStream stdout = new Stdout();
  private final Future<?> watchdog;
  private volatile Input input;
  private volatile boolean outputTaken;
  private volatile boolean late;
  private volatile String cancelled = "";
  private ToolResult result;
  private ToolException failure;

  private ToolRun(ToolCommand command, Process launcher, StatusSlot slot) {
    this.command = command;
    this.launcher = launcher;
    this.slot = slot;
    this.errors = new StderrTail(command.tailBytes(), command.listener());
    Threads.run(() -> output.fill(launcher.getInputStream()));
    Threads.run(() -> errors.fill(launcher.getErrorStream()));
    // The launcher ends a run in time itself; this is for one that cannot get so far.
    Duration limit = command.timeout();
    this.watchdog = limit == null ? null : Threads.later(limit.plusSeconds(2), () -> {
      late = true;
      launcher.destroyForcibly();
    });
  }

  static ToolRun start(ToolCommand command) {
    Image image = command.tool().image();
    Stub stub = Stub.of(image.file());
    StatusSlot slot = null;
    try {
      slot = StatusSlot.take();
      ProcessBuilder builder = new ProcessBuilder(Launch.words(stub, image, command, slot.path()));
      command.prepare(builder);
      ToolRun run = new ToolRun(command, builder.start(), slot);
      if (command.session() != null) command.session().add(run);
      return run;
    } catch (IOException e) {
      if (slot != null) slot.close();
      throw new ToolException.LauncherFailed(new ToolException.Context(command.tool().name(),
          command.arguments(), "", ""), "it cannot be started: " + e.getMessage(), e);
    }
  }

  /** The number of the launcher: RUN of `rootlet ps`, `kill`, `stats`. */
  public long pid() {
    return launcher.pid();
  }

  public boolean isAlive() {
    return launcher.isAlive();
  }

  /** Writes the tool's input in a thread of its own, and ends it. */
  public ToolRun feed(Feeder feeder) {
    Input fed = new Input(this, launcher.getOutputStream());
    input = fed;
    fed.start(feeder);
    return this;
  }

  /** The tool's input, for who writes it himself, in another thread than reads; to be closed. */
  public OutputStream stdin() {
    if (input == null) input = new Input(this, launcher.getOutputStream());
    return launcher.getOutputStream();
  }

  /** The tool's output. Take its input first: who reads without having taken that gives it none. */
  public InputStream stdout() {
    outputTaken = true;
    return stdout;
  }

  /** The same in lines of UTF-8. */
  public Stream<String> lines() {
    return new BufferedReader(new InputStreamReader(stdout(), StandardCharsets.UTF_8)).lines();
  }

  /** What it wrote to stderr last, so far. */
  public String stderrTail() {
    return errors.text();
  }

  /** Waits for the end. Output that nobody has asked for is thrown away. Throws if it did not go well. */
  public ToolResult await() {
    if (!outputTaken) output.discard();
    giveNoInput();
    try {
      launcher.waitFor();
    } catch (InterruptedException e) {
      throw interrupted();
    }
    return end();
  }

  /** Ends the run with all that it started, if it has not ended yet. Waits for that, for a bounded time. */
  @Override
  public void close() {
    if (launcher.isAlive()) cancel("it was closed before its end");
    output.discard();
    Input fed = input;
    if (fed != null) fed.stop();
    end0();
  }

  /** Ends it, from any thread; what waits for it then throws a {@link ToolException.Cancelled}. */
  public void cancel() {
    cancel("it was cancelled");
  }

  void cancel(String why) {
    if (!launcher.isAlive()) return;
    synchronized (this) {
      if (cancelled.isEmpty()) cancelled = why;
    }
    launcher.destroy();
    boolean again = Thread.interrupted();
    try {
      if (!launcher.waitFor(command.grace().toMillis(), java.util.concurrent.TimeUnit.MILLISECONDS)) {
        launcher.destroyForcibly().waitFor(MOMENT, java.util.concurrent.TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      launcher.destroyForcibly();
      again = true;
    }
    if (again) Thread.currentThread().interrupt();
  }

  private ToolException interrupted() {
    cancel("its thread was interrupted");
    Thread.currentThread().interrupt();
    end0();
    return failure != null ? failure : new Ending(command, errors.text(), java.util.List.of())
        .cancelled("its thread was interrupted");
  }

  private void giveNoInput() {
    if (input != null) return;
    input = new Input(this, launcher.getOutputStream());
    input.end();
  }

  private ToolResult end() {
    end0();
    if (failure != null) throw failure;
    return result;
  }

  /** Looks at how it ended, once. The launcher has ended, or is about to. */
  private synchronized void end0() {
    if (result != null || failure != null) return;
    if (watchdog != null) watchdog.cancel(false);
    errors.await(MOMENT);
    boolean over = !launcher.isAlive();
    Ending ending = new Ending(command, errors.text(), slot.events());
    if (over) slot.close();
    else slot.discard();
    if (command.session() != null) command.session().remove(this);
    Input fed = input;
    Throwable bad = fed == null ? null : fed.failure();
    ToolException end = over ? ending.failure(launcher.exitValue()) : null;
    if (bad != null) failure = ending.inputFailed(bad);
    else if (late || end instanceof ToolException.TimedOut) failure = ending.timedOut();
    else if (!cancelled.isEmpty() && (end != null || !over)) failure = ending.cancelled(cancelled);
    else if (end != null) failure = end;
    else result = success(ending, fed);
  }

  private ToolResult success(Ending ending, Input fed) {
    return new ToolResult(ending.code(), Duration.ofNanos(System.nanoTime() - started),
        Duration.ofMillis(ending.cpuMilliseconds()), ending.maxRssBytes(), fed == null ? 0 : fed.count(),
        output.count(), errors.text(), ending.limits(), ending.isolated(), ending.notes());
  }

  /** Ends as the run ends: with -1 when it went well, else with its error. */
  private final class Stdout extends InputStream {
    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] to, int from, int length) throws IOException {
      java.util.Objects.checkFromIndexSize(from, length, to.length);
      giveNoInput();
      try {
        int got = output.read(to, from, length);
        if (got >= 0) return got;
        launcher.waitFor();
      } catch (InterruptedException e) {
        throw interrupted();
      }
      end();
      if (output.failure() != null) throw output.failure();
      return -1;
    }

    @Override
    public int available() {
      return output.available();
    }

    /** The rest is not wanted: the tool is told by a closed pipe, as by `head`. */
    @Override
    public void close() throws IOException {
      output.discard();
      launcher.getInputStream().close();
    }
  }
}
