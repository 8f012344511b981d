// SPDX-License-Identifier: MIT
package io.rootlet.spark.run;

import io.rootlet.Tool;
import io.rootlet.ToolCommand;
import io.rootlet.ToolException;
import io.rootlet.spark.Framing;
import io.rootlet.spark.PartitionFailed;
import io.rootlet.spark.RootletSpark;
import io.rootlet.spark.RowFormat;
import io.rootlet.spark.ToolMetrics;
import io.rootlet.spark.ToolPipe;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.SparkFiles;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/** An application for tests: does what its first argument says, and prints what came out. */
public final class Acceptance {
  private static final Tool PROBE = Tool.fromClasspath("probe");
  private final JavaSparkContext context;
  private final SparkSession session;

  private Acceptance(SparkSession session) {
    this.session = session;
    this.context = JavaSparkContext.fromSparkContext(session.sparkContext());
  }

  public static void main(String[] words) throws Exception {
    SparkSession session = SparkSession.builder().getOrCreate();
    session.sparkContext().setLogLevel("WARN");
    Acceptance application = new Acceptance(session);
    for (String scenario : words[0].split(",")) application.run(scenario, words);
    session.stop();
  }

  private void run(String scenario, String[] words) throws Exception {
    switch (scenario) {
      case "equal":
        equal(Integer.parseInt(words[1]));
        break;
      case "pipe":
        pipe();
        break;
      case "bytes":
        bytes();
        break;
      case "rows":
        Rows.check(session);
        break;
      case "failure":
        failure();
        break;
      case "late":
        late();
        break;
      case "limit":
        limit();
        break;
      case "cancel":
        cancel();
        break;
      case "speculation":
        speculation();
        break;
      case "slow":
        slow(Integer.parseInt(words[1]));
        break;
      case "probe":
        RootletSpark.probe(context.sc()).forEach(report -> say("probe", report.executor() + " "
            + report.report().works() + " " + report.report().reason() + " " + report.report().stub()));
        break;
      case "files":
        files(words[1]);
        break;
      case "missing":
        missing();
        break;
      case "real":
        RealTools.run(context, Path.of(words[1]), Path.of(words[2]));
        break;
      case "version":
        say("version", String.valueOf(ToolPipe.of(shell("cat /version")).lines(numbers(8, 8)).distinct().collect()));
        break;
      default:
        throw new IllegalArgumentException(scenario);
    }
  }

  static void say(String name, String value) {
    System.out.println("RESULT " + name + ": " + value);
  }

  static ToolCommand shell(String script) {
    return PROBE.command("-c", script).program("/bin/sh");
  }

  private JavaRDD<String> numbers(int count, int partitions) {
    return context.parallelize(IntStream.range(0, count).mapToObj(String::valueOf).toList(), partitions);
  }

  private static final String SQUARES =
      "test \"$(cat /opt/foo/share/data.txt)\" = 'data of the image' || exit 9; while read n; do echo $((n * n)); done";

  private static void compare(String name, List<String> got, List<String> wanted) {
    say(name, got.equals(wanted) ? "equal " + got.size() : "DIFFERS: " + got);
  }

  private static List<String> squares(int count) {
    return IntStream.range(0, count).mapToObj(n -> String.valueOf((long) n * n)).toList();
  }

  private void equal(int partitions) throws Exception {
    ToolMetrics metrics = ToolMetrics.register(context.sc(), "probe");
    int count = partitions * 5;
    ToolPipe pipe = ToolPipe.of(shell(SQUARES)).metrics(metrics);
    compare("equal", pipe.lines(numbers(count, partitions)).collect(), squares(count));
    say("runs", String.valueOf(metrics.runs()));
    say("bytes", String.valueOf(metrics.bytesIn() > count && metrics.bytesOut() > count && metrics.maxRssBytes() > 0));
    compare("warm", pipe.warm().lines(numbers(count, partitions)).collect(), squares(count));
    compare("empty", pipe.skipEmptyPartitions().lines(numbers(3, 8)).collect(), squares(3));
    Path records = Files.createTempDirectory("records");
    pipe.recordIn(records.toString()).lines(numbers(count, partitions)).count();
    int whole = 0;
    for (String name : records.toFile().list()) {
      String record = Files.readString(records.resolve(name));
      if (name.matches("stage-\\d+-partition-\\d+-task-\\d+\\.json") && record.contains("\"state\":\"ended\"")) whole++;
      Files.delete(records.resolve(name));
    }
    Files.delete(records);
    say("recorded", String.valueOf(whole));
    say("taken", String.valueOf(pipe.lines(numbers(count, partitions)).take(3)));
  }

  /** Spark's own pipe, with nothing but a list of words. */
  private void pipe() {
    compare("pipe", numbers(40, 8).pipe(shell(SQUARES).portable()).collect(), squares(40));
  }

  private void bytes() throws Exception {
    List<byte[]> records = new ArrayList<>();
    for (int i = 0; i < 64; i++) records.add(("\0\n\r\t" + i).getBytes(StandardCharsets.UTF_8));
    JavaRDD<byte[]> input = context.parallelize(records, 4);
    ToolPipe cat = ToolPipe.of(shell("cat"));
    for (Framing<byte[]> framing : List.of(Framing.lengthPrefixed(1000), Framing.delimited(1))) {
      List<byte[]> got = cat.records(input, framing, framing).collect();
      boolean same = IntStream.range(0, 64).allMatch(i -> java.util.Arrays.equals(got.get(i), records.get(i)));
      say("records", String.valueOf(same && got.size() == 64));
    }
    JavaRDD<byte[]> large = context.parallelize(List.of(1, 2), 2).map(n -> new byte[20_000_000]);
    say("bytes", String.valueOf(cat.bytes(large).map(piece -> (long) piece.length).reduce(Long::sum)));
    try {
      cat.records(input, Framing.NONE, Framing.lengthPrefixed(1000)).collect();
      say("no record", "DIFFERS");
    } catch (Exception e) {
      say("no record", String.valueOf(e.getMessage().contains("no record")));
    }
  }

  private void failure() {
    String script = "while read n; do echo $n; test $n != 33 || { echo bad 33 >&2; exit 42; }; done";
    try {
      List<String> got = ToolPipe.of(shell(script)).lines(numbers(50, 50)).collect();
      say("failure", "DIFFERS: " + got);
    } catch (Exception e) {
      ToolException cause = PartitionFailed.toolFailure(e);
      String kind = cause instanceof ToolException.Failed failed ? "Failed " + failed.exit() + " "
          + failed.stderrTail().strip() : String.valueOf(cause);
      say("failure", kind + " " + e.getMessage().contains("partition 33"));
    }
    // Nor does the output of a run that fails at its very end count, when somebody writes it down.
    long[] seen = {0};
    try {
      seen[0] = ToolPipe.of(shell("cat; exit 1")).lines(numbers(5, 1)).count();
    } catch (Exception e) {
      seen[0] = -1;
    }
    say("output of a failed run", String.valueOf(seen[0]));
  }

  private void late() {
    try {
      List<String> got = ToolPipe.of(shell("trap 'exit 0' TERM; cat; sleep 60 & wait")
          .timeout(Duration.ofSeconds(1))).lines(numbers(2, 1)).collect();
      say("late", "DIFFERS: " + got);
    } catch (Exception e) {
      say("late", PartitionFailed.toolFailure(e) instanceof ToolException.TimedOut ? "TimedOut" : "DIFFERS " + e);
    }
  }

  private void limit() {
    try {
      ToolPipe.of(shell("head -c 100000 /dev/zero > /tmp/f").option("file-size=1000")).lines(numbers(2, 1)).collect();
      say("limit", "DIFFERS");
    } catch (Exception e) {
      say("limit", String.valueOf(e.getMessage().contains("file-size")));
    }
  }

  private void cancel() throws Exception {
    Path marks = Files.createTempDirectory("marks");
    ToolCommand command = shell("trap '' TERM; touch /marks/$$; (setsid sleep 4321 &); sleep 4321")
        .bindWritable(marks, "/marks");
    JavaFutureAction<List<String>> job = ToolPipe.of(command).lines(numbers(2, 2)).collectAsync();
    while (started(marks) < 1) Thread.sleep(50);
    say("sleeping", String.valueOf(Sleeps.count() > 0));
    job.cancel(true);
    long end = System.nanoTime() + 3_000_000_000L;
    while (Sleeps.count() > 0 && System.nanoTime() < end) Thread.sleep(20);
    say("cancelled", String.valueOf(Sleeps.count()));
    for (Path file : list(marks)) Files.delete(file);
    Files.delete(marks);
  }

  private static List<Path> list(Path directory) throws Exception {
    try (java.util.stream.Stream<Path> files = Files.list(directory)) {
      return files.toList();
    }
  }

  private static int started(Path marks) throws Exception {
    return list(marks).size();
  }

  /** The first attempt of a partition hangs; another one of it wins, and the first is ended. */
  private void speculation() throws Exception {
    JavaRDD<String> input = numbers(16, 8).mapPartitions(lines -> {
      TaskContext task = TaskContext.get();
      String word = task.partitionId() == 0 && task.attemptNumber() == 0 ? "hang" : "go";
      List<String> all = new ArrayList<>(List.of(word));
      lines.forEachRemaining(all::add);
      return all.iterator();
    });
    String script = "read word; test $word = go || { trap '' TERM; sleep 4321; }; " + SQUARES;
    compare("speculation", ToolPipe.of(shell(script)).lines(input).collect(), squares(16));
    long end = System.nanoTime() + 3_000_000_000L;
    while (Sleeps.count() > 0 && System.nanoTime() < end) Thread.sleep(20);
    say("left", String.valueOf(Sleeps.count()));
  }

  /** An image that `--files` brought: a file of each executor's own. */
  private void files(String name) {
    List<String> got = numbers(4, 4).map(number -> Tool.fromFile(Path.of(SparkFiles.get(name)))
        .command("-c", "cat /opt/foo/share/data.txt").program("/bin/sh").run().text().strip()).distinct().collect();
    say("files", String.valueOf(got));
  }

  /** What a tool says that is not on the class path of an executor. */
  private void missing() {
    try {
      say("missing", "DIFFERS " + ToolPipe.of(shell("true")).lines(numbers(2, 2)).collect());
    } catch (Exception e) {
      ToolException cause = e instanceof ToolException own ? own : PartitionFailed.toolFailure(e);
      say("missing", String.valueOf(cause == null ? e : cause.getClass().getSimpleName()));
    }
  }

  /** Long enough to be killed in between. */
  private void slow(int partitions) {
    ToolPipe pipe = ToolPipe.of(shell("echo up > /dev/null; (setsid sleep 4321 &); sleep 1.5; " + SQUARES)).warm();
    say("slow", "begins");
    compare("slow", pipe.lines(numbers(partitions * 3, partitions)).collect(), squares(partitions * 3));
  }
}
