// SPDX-License-Identifier: MIT
package io.rootlet.spark.run;

import io.rootlet.Tool;
import io.rootlet.spark.ToolPipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;

/** Real tools: each FASTA record of a file goes to one partition, and through the tool there. */
final class Hmmer {
  private Hmmer() {}

  /** hmmer FASTA PARTITIONS OUT TOOL EXEC DATA INSIDE ARGUMENT... */
  static void run(JavaSparkContext context, String[] words) throws Exception {
    List<String> records = records(Files.readString(Path.of(words[1])));
    List<String> arguments = List.of(words).subList(8, words.length);
    ToolPipe pipe = ToolPipe.of(Tool.fromClasspath(words[4]).command(arguments).program(words[5])
        .bindReadOnly(Path.of(words[6]), words[7])).warm();
    List<String> lines =
        pipe.lines(context.parallelize(records, Integer.parseInt(words[2]))).collect();
    Files.write(Path.of(words[3]), lines);
    Acceptance.say("hmmer", records.size() + " records");
  }

  /** Whole records: a record is an element, with its lines. */
  static List<String> records(String fasta) {
    List<String> records = new ArrayList<>();
    for (String part : fasta.split("(?m)^>")) {
      if (!part.isBlank()) records.add(">" + part.strip());
    }
    return records;
  }
}
