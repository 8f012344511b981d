// SPDX-License-Identifier: MIT
import io.rootlet.Tool;
import io.rootlet.ToolCommand;
import io.rootlet.spark.ToolPipe;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;

/** Prints "CASE MICROSECONDS" for each round of each case: lines through a tool, in a local Spark. */
public final class PipeThroughput {
  public static void main(String[] words) {
    String program = words[0];
    int lines = Integer.parseInt(words[1]), partitions = Integer.parseInt(words[2]), rounds = Integer.parseInt(words[3]);
    SparkConf conf = new SparkConf().setMaster("local[2]").setAppName("pipe").set("spark.ui.enabled", "false");
    try (JavaSparkContext context = new JavaSparkContext(conf)) {
      context.setLogLevel("ERROR");
      JavaRDD<String> input = context.parallelize(IntStream.range(0, partitions).boxed().toList(), partitions)
          .flatMap(number -> repeated(lines));
      ToolCommand cat = Tool.fromClasspath("tool").command("cat");
      List<String> cases = List.of("pipe-native", "pipe-portable", "lines", "lines-warm");
      for (int round = -1; round < rounds; round++) {
        for (int turn = 0; turn < cases.size(); turn++) {
          String name = cases.get((turn + round + 1) % cases.size());
          long from = System.nanoTime();
          long count = switch (name) {
            case "pipe-native" -> input.pipe(List.of(program, "cat")).count();
            case "pipe-portable" -> input.pipe(cat.portable()).count();
            case "lines" -> ToolPipe.of(cat).lines(input).count();
            default -> ToolPipe.of(cat).warm().lines(input).count();
          };
          if (count != (long) lines * partitions) throw new IllegalStateException(name + ": " + count);
          // The first round only makes the JVM warm.
          if (round >= 0) System.out.println(name + " " + (System.nanoTime() - from) / 1000);
        }
      }
    }
  }

  private static Iterator<String> repeated(int lines) {
    String line = "ACGT".repeat(25);
    return IntStream.range(0, lines).mapToObj(number -> line).iterator();
  }
}
