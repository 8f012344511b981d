// SPDX-License-Identifier: MIT
package io.rootlet;

import java.io.BufferedOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/** The input of a run: who writes it, how much, and what went wrong with it. */
final class Input {
  private final ToolRun run;
  private final OutputStream pipe;
  private volatile Thread thread;
  private volatile Throwable failure;
  private volatile boolean toolLeft;
  private volatile long count;

  Input(ToolRun run, OutputStream pipe) {
    this.run = run;
    this.pipe = pipe;
  }

  void start(ToolRun.Feeder feeder) {
    Thread writer = new Thread(() -> write(feeder), "rootlet-feed");
    writer.setDaemon(true);
    writer.setContextClassLoader(Thread.currentThread().getContextClassLoader());
    thread = writer;
    writer.start();
  }

  private void write(ToolRun.Feeder feeder) {
    OutputStream out = new BufferedOutputStream(new ToTool(), 64 << 10);
    try {
      feeder.feed(out);
      out.flush();
    } catch (Throwable e) {
      // A tool that has read enough (head) closes its input: no failure, whatever the feeder makes of it.
      if (!toolLeft) fail(e);
    }
    end();
  }

  // First the run, then the pipe: a tool whose input just ended would end well.
  private void fail(Throwable e) {
    failure = e;
    run.cancel("its input failed");
  }

  /** The end of the input. */
  void end() {
    try {
      pipe.close();
    } catch (IOException e) {
      // The tool has gone.
    }
  }

  /** The run is over: whoever still writes is interrupted, and waited for. */
  void stop() {
    Thread writer = thread;
    if (writer == null || writer == Thread.currentThread()) return;
    boolean interrupted = Thread.interrupted();
    toolLeft = true;
    while (writer.isAlive()) {
      writer.interrupt();
      try {
        writer.join(100);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) Thread.currentThread().interrupt();
  }

  Throwable failure() {
    return failure;
  }

  long count() {
    return count;
  }

  private final class ToTool extends FilterOutputStream {
    ToTool() {
      super(pipe);
    }

    @Override
    public void write(int value) throws IOException {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int length) throws IOException {
      try {
        pipe.write(bytes, from, length);
        pipe.flush();
        count += length;
      } catch (IOException e) {
        toolLeft = true;
        throw e;
      }
    }
  }
}
