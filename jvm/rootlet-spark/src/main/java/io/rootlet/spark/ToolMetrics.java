// SPDX-License-Identifier: MIT
package io.rootlet.spark;

import io.rootlet.ToolResult;
import java.io.Serializable;
import org.apache.spark.SparkContext;
import org.apache.spark.util.LongAccumulator;

/**
 * Sums over the runs that went well, as accumulators, which the web page of a stage shows. As all
 * accumulators they count a partition again that is computed again.
 */
public final class ToolMetrics implements Serializable {
  private static final long serialVersionUID = 1;
  private final LongAccumulator runs;
  private final LongAccumulator wall;
  private final LongAccumulator cpu;
  private final LongAccumulator in;
  private final LongAccumulator out;
  private final MaxAccumulator memory = new MaxAccumulator();

  private ToolMetrics(SparkContext context, String name) {
    runs = context.longAccumulator(name + " runs");
    wall = context.longAccumulator(name + " wall ms");
    cpu = context.longAccumulator(name + " cpu ms");
    in = context.longAccumulator(name + " bytes in");
    out = context.longAccumulator(name + " bytes out");
    context.register(memory, name + " most memory, bytes");
  }

  public static ToolMetrics register(SparkContext context, String name) {
    return new ToolMetrics(context, name);
  }

  void add(ToolResult result) {
    runs.add(1L);
    wall.add(result.wall().toMillis());
    cpu.add(result.cpu().toMillis());
    in.add(result.bytesIn());
    out.add(result.bytesOut());
    memory.add(result.maxRssBytes());
  }

  public long runs() {
    return runs.value();
  }

  public long wallMilliseconds() {
    return wall.value();
  }

  public long cpuMilliseconds() {
    return cpu.value();
  }

  public long bytesIn() {
    return in.value();
  }

  public long bytesOut() {
    return out.value();
  }

  /** The most that one process of a run had. */
  public long maxRssBytes() {
    return memory.value();
  }

  private static final class MaxAccumulator extends org.apache.spark.util.AccumulatorV2<Long, Long> {
    private static final long serialVersionUID = 1;
    private long most;

    @Override
    public boolean isZero() {
      return most == 0;
    }

    @Override
    public MaxAccumulator copy() {
      MaxAccumulator other = new MaxAccumulator();
      other.most = most;
      return other;
    }

    @Override
    public void reset() {
      most = 0;
    }

    @Override
    public void add(Long value) {
      most = Math.max(most, value);
    }

    @Override
    public void merge(org.apache.spark.util.AccumulatorV2<Long, Long> other) {
      most = Math.max(most, other.value());
    }

    @Override
    public Long value() {
      return most;
    }
  }
}
