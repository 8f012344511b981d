// SPDX-License-Identifier: MIT
package io.rootlet.spark;

import io.rootlet.ToolException;
import io.rootlet.ToolResult;
import io.rootlet.ToolRun;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Collections;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.Future;
import org.apache.spark.TaskContext;

/** The elements of a partition that a run makes. The last is followed by a normal end, or by an error. */
final class PartitionRun<A, B> implements Iterator<B> {
  private final ToolPipe pipe;
  private final TaskContext task;
  private final Framing<B> reader;
  private final ToolRun run;
  private final InputStream output;
  private final Future<?> watch;
  private B next;
  private boolean ended;

  private PartitionRun(ToolPipe pipe, TaskContext task, Framing<A> writer, Framing<B> reader, Iterator<A> input) {
    this.pipe = pipe;
    this.task = task;
    this.reader = reader;
    this.run = pipe.commandOf(task).start();
    this.watch = TaskSurroundings.watch(task, run);
    // Also when the task fails elsewhere, or is killed, or takes only some elements (limit).
    task.addTaskCompletionListener((org.apache.spark.util.TaskCompletionListener) ending -> close());
    run.feed(out -> write(writer, input, out));
    this.output = new BufferedInputStream(run.stdout(), 64 << 10);
  }

  static <A, B> Iterator<B> start(ToolPipe pipe, Framing<A> writer, Framing<B> reader, Iterator<A> input) {
    if (pipe.skipsEmpty() && !input.hasNext()) return Collections.emptyIterator();
    TaskContext task = TaskContext.get();
    try {
      return new PartitionRun<>(pipe, task, writer, reader, input);
    } catch (ToolException e) {
      throw new PartitionFailed(task, e);
    }
  }

  private void write(Framing<A> writer, Iterator<A> input, OutputStream out) throws IOException {
    org.apache.spark.TaskContext$.MODULE$.setTaskContext(task); // the iterator is a task's
    try {
      writer.begin(out);
      while (input.hasNext()) writer.write(input.next(), out);
    } finally {
      org.apache.spark.TaskContext$.MODULE$.unset();
    }
  }

  private void close() {
    watch.cancel(false);
    run.close();
  }

  @Override
  public boolean hasNext() {
    if (next == null && !ended) next = read();
    return next != null;
  }

  private B read() {
    try {
      B element = reader.read(output);
      if (element != null) return element;
      // The end of the output is that of a run that went well: stdout() has looked.
      ended = true;
      ToolResult result = run.await();
      if (pipe.metrics() != null) pipe.metrics().add(result);
      close();
      return null;
    } catch (ToolException e) {
      ended = true;
      task.killTaskIfInterrupted(); // then Spark asked for it
      throw new PartitionFailed(task, e);
    } catch (IOException | RuntimeException e) {
      ended = true;
      close();
      if (e instanceof PartitionFailed failed) throw failed;
      throw new PartitionFailed(task, e);
    }
  }

  @Override
  public B next() {
    if (!hasNext()) throw new NoSuchElementException();
    B element = next;
    next = null;
    return element;
  }
}
