// SPDX-License-Identifier: MIT
package io.rootlet.spark;

import io.rootlet.ToolException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.apache.spark.TaskContext;

/** A partition whose run did not go well; the cause is a {@link ToolException}, or what its output is not. */
public final class PartitionFailed extends RuntimeException {
  private static final long serialVersionUID = 1;
  private final int stage;
  private final int partition;
  private final int attempt;

  PartitionFailed(TaskContext task, Throwable cause) {
    super("stage " + task.stageId() + ", partition " + task.partitionId() + ", attempt " + task.attemptNumber()
        + ", on " + host() + ": " + cause.getMessage(), cause);
    this.stage = task.stageId();
    this.partition = task.partitionId();
    this.attempt = task.attemptNumber();
  }

  private static String host() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "this host";
    }
  }

  public int stage() {
    return stage;
  }

  public int partition() {
    return partition;
  }

  public int attempt() {
    return attempt;
  }

  /** The tool's own failure in a chain of causes, as the driver gets it; nothing where there is none. */
  public static ToolException toolFailure(Throwable thrown) {
    for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
      if (cause instanceof ToolException failure) return failure;
    }
    return null;
  }
}
