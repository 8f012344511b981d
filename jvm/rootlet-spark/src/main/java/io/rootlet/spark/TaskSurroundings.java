// SPDX-License-Identifier: MIT
package io.rootlet.spark;

import io.rootlet.ToolCommand;
import io.rootlet.ToolRun;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a run has of the task and the executor around it. */
final class TaskSurroundings {
  private static final Logger LOG = LoggerFactory.getLogger("io.rootlet.tool");
  private static final long LOOK = 100; // ms
  private static final ScheduledExecutorService WATCH = Executors.newSingleThreadScheduledExecutor(task -> {
    Thread thread = new Thread(task, "rootlet-task-watch");
    thread.setDaemon(true);
    return thread;
  });

  private TaskSurroundings() {}

  /** Whose lines these are: application, stage, partition, attempt, tool. */
  static String label(TaskContext task, String tool) {
    String application = SparkEnv.get() == null ? "" : SparkEnv.get().conf().getAppId() + " ";
    return "[" + application + "stage " + task.stageId() + "." + task.stageAttemptNumber() + " partition "
        + task.partitionId() + " attempt " + task.attemptNumber() + " " + tool + "]";
  }

  static ToolCommand.LineListener logger(TaskContext task, ToolCommand command) {
    String label = label(task, command.toolName());
    return line -> LOG.info("{} {}", label, line);
  }

  static String localDirectory() {
    return SparkEnv.get().blockManager().diskBlockManager().localDirs()[0].toString();
  }

  /** Spark kills a task by a mark, and only sometimes by an interrupt: the mark is looked at. */
  static Future<?> watch(TaskContext task, ToolRun run) {
    return WATCH.scheduleWithFixedDelay(() -> {
      // In a thread of its own: it takes up to the grace, and there may be many.
      if (task.isInterrupted() && run.isAlive()) new Thread(run::cancel, "rootlet-task-kill").start();
    }, LOOK, LOOK, TimeUnit.MILLISECONDS);
  }
}
