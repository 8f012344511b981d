// SPDX-License-Identifier: MIT
package io.rootlet.spark.run;

import io.rootlet.Tool;
import io.rootlet.ToolCommand;
import io.rootlet.spark.ToolPipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;

/** HMMER and MAFFT, with their absolute paths, on as many partitions as there are files chunk0, chunk1, ... */
final class RealTools {
  private RealTools() {}

  static void run(JavaSparkContext context, Path chunks, Path results) throws IOException {
    int count = (int) IntStream.iterate(0, n -> Files.exists(chunks.resolve("chunk" + n)), n -> n + 1).count();
    List<String> texts = new java.util.ArrayList<>();
    for (int i = 0; i < count; i++) texts.add(Files.readString(chunks.resolve("chunk" + i)));
    JavaRDD<String> lines = context.parallelize(texts, count).flatMap(text -> Arrays.asList(text.split("\n")).iterator());
    ToolCommand scan = Tool.fromClasspath("hmmer").command("--noali", "-E", "10", "/share/apps/gepan/bio_databases/Pfam-A.hmm", "-")
        .program("/opt/local/hmmer30rc2/binaries/hmmscan")
        .attach(Tool.fromClasspath("bio_databases"), "/share/apps/gepan/bio_databases");
    ToolCommand align = Tool.fromClasspath("mafft").command("--auto", "--quiet", "-").program("/opt/bio/mafft/bin/mafft");
    save(results.resolve("hmmscan"), ToolPipe.of(scan).warm().lines(lines).collect());
    save(results.resolve("mafft"), ToolPipe.of(align).warm().lines(lines).collect());
    Acceptance.say("real", String.valueOf(count));
  }

  private static void save(Path file, List<String> lines) throws IOException {
    Files.write(file, lines);
  }
}
