// SPDX-License-Identifier: MIT
package io.rootlet.spark;

import io.rootlet.HostReport;
import io.rootlet.Rootlet;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;

/** What concerns a cluster rather than one tool. */
public final class RootletSpark {
  private RootletSpark() {}

  /** What one executor allows. */
  public record ExecutorReport(String executor, String host, HostReport report) implements java.io.Serializable {
    private static final long serialVersionUID = 1;
  }

  /** Asks every executor that is there now whether runs work on it, and if not, why. */
  public static List<ExecutorReport> probe(SparkContext context) {
    // More tasks than processors, each of some time, so that every executor gets one.
    int tasks = Math.max(context.defaultParallelism(), context.getExecutorMemoryStatus().size()) * 4;
    List<Integer> numbers = new ArrayList<>();
    for (int i = 0; i < tasks; i++) numbers.add(i);
    List<ExecutorReport> reports = JavaSparkContext.fromSparkContext(context).parallelize(numbers, tasks)
        .map(number -> {
          String host = java.net.InetAddress.getLocalHost().getHostName();
          return new ExecutorReport(SparkEnv.get().executorId(), host, Rootlet.probe());
        }).collect();
    TreeMap<String, ExecutorReport> one = new TreeMap<>();
    for (ExecutorReport report : reports) one.put(report.executor(), report);
    return List.copyOf(one.values());
  }
}
