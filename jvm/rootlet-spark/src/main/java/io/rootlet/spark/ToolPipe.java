// SPDX-License-Identifier: MIT
package io.rootlet.spark;

import io.rootlet.ToolCommand;
import io.rootlet.ToolSession;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;

/**
 * Pipes each partition through a run of a tool. Immutable: each method returns another pipe.
 *
 * <p>A partition ends normally only when its run went well: output of a run that failed, timed out or was
 * killed never counts, for its iterator ends with the error. Runs share nothing, so retries and
 * speculative attempts are safe. Without a profile of its own the command runs isolated, in a private /tmp.
 *
 * <pre>{@code
 * JavaRDD<String> hits = ToolPipe.of(hmmer.command("hmmscan", "/db/pfam", "-")).lines(sequences);
 * Dataset<Row> typed = df.transform(ToolPipe.of(tool).rows(RowFormat.tsv(), RowFormat.csv(), schema));
 * }</pre>
 */
public final class ToolPipe implements Serializable {
  private static final long serialVersionUID = 1;

  private final ToolCommand command;
  private boolean warm;
  private boolean skipsEmpty;
  private boolean logsStderr = true;
  private boolean onDisk;
  private ToolMetrics metrics;
  private String records;

  private ToolPipe(ToolCommand command) {
    this.command = command;
  }

  public static ToolPipe of(ToolCommand command) {
    return new ToolPipe(command);
  }

  private ToolPipe with(Consumer<ToolPipe> change) {
    ToolPipe copy = new ToolPipe(command);
    copy.warm = warm;
    copy.skipsEmpty = skipsEmpty;
    copy.logsStderr = logsStderr;
    copy.onDisk = onDisk;
    copy.metrics = metrics;
    copy.records = records;
    change.accept(copy);
    return copy;
  }

  /** One image server for each executor, which all of its runs share and which ends with it. */
  public ToolPipe warm() {
    return with(copy -> copy.warm = true);
  }

  /** Partitions without elements are passed over: no run. */
  public ToolPipe skipEmptyPartitions() {
    return with(copy -> copy.skipsEmpty = true);
  }

  /** Lines of stderr are not logged; errors carry their end all the same. */
  public ToolPipe quiet() {
    return with(copy -> copy.logsStderr = false);
  }

  /** What is private and writable lies in the executor's local directory, not in memory. */
  public ToolPipe scratchOnDisk() {
    return with(copy -> copy.onDisk = true);
  }

  /** Counts runs, bytes, processor time and memory. */
  public ToolPipe metrics(ToolMetrics counted) {
    return with(copy -> copy.metrics = counted);
  }

  /**
   * Each attempt of each partition writes its record (docs/records.md of Rootlet) into this directory of a
   * file system that all executors see, as `stage-S-partition-P-task-T.json`: those that failed too. Of an
   * executor that was killed the record says that it is incomplete.
   */
  public ToolPipe recordIn(String directory) {
    if (!directory.startsWith("/")) throw new IllegalArgumentException(directory + ": not an absolute path");
    return with(copy -> copy.records = directory);
  }

  /** Elements as lines of UTF-8; each line that the tool writes becomes an element. */
  public JavaRDD<String> lines(JavaRDD<String> input) {
    return input.mapPartitions(elements -> PartitionRun.start(this, Framing.LINES, Framing.LINES, elements));
  }

  /** The same for Scala. */
  public RDD<String> lines(RDD<String> input) {
    return lines(input.toJavaRDD()).rdd();
  }

  /** Elements one behind the other, as they are; the output comes in pieces of up to 64 KiB. */
  public JavaRDD<byte[]> bytes(JavaRDD<byte[]> input) {
    return records(input, Framing.NONE, Framing.NONE);
  }

  /** Elements as records: how each is told from the next, on the way in and on the way out. */
  public JavaRDD<byte[]> records(JavaRDD<byte[]> input, Framing<byte[]> in, Framing<byte[]> out) {
    return input.mapPartitions(elements -> PartitionRun.start(this, in, out, elements));
  }

  /**
   * Rows in a text format on both ways. `schema` names and types the columns that the tool writes. To be
   * given to Dataset.transform.
   */
  public scala.Function1<Dataset<Row>, Dataset<Row>> rows(RowFormat in, RowFormat out, StructType schema) {
    return (Function<Dataset<Row>, Dataset<Row>>) frame -> {
      Framing<Row> writer = in.framing(frame.schema());
      Framing<Row> reader = out.framing(schema);
      return frame.mapPartitions((org.apache.spark.api.java.function.MapPartitionsFunction<Row, Row>)
          elements -> PartitionRun.start(this, writer, reader, elements), Encoders.row(schema));
    };
  }

  /** Of Scala, which it can be made from a lambda. */
  private interface Function<A, B> extends scala.Function1<A, B>, Serializable {}

  /** The command as this task runs it. */
  ToolCommand commandOf(TaskContext task) {
    ToolCommand run = command;
    if (!command.hasOption("profile")) run = run.profile(ToolCommand.Profile.ISOLATED);
    if (!command.hasOption("cwd")) run = run.option("cwd=/tmp");
    if (onDisk) run = run.option("tmp=" + TaskSurroundings.localDirectory());
    if (records != null) run = run.option("record=" + recordOf(task));
    if (logsStderr) run = run.stderr(TaskSurroundings.logger(task, command), 64 << 10);
    return warm ? run.in(ToolSession.ofJvm()) : run;
  }

  private String recordOf(TaskContext task) {
    try {
      Files.createDirectories(Path.of(records));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return records + "/stage-" + task.stageId() + "-partition-" + task.partitionId() + "-task-"
        + task.taskAttemptId() + ".json";
  }

  boolean skipsEmpty() {
    return skipsEmpty;
  }

  ToolMetrics metrics() {
    return metrics;
  }
}
