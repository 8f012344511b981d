// SPDX-License-Identifier: MIT
package metapipe;

import io.rootlet.spark.RootletSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import scala.Tuple2;

/**
 * {@code spark-submit pipeline.jar validate}, or
 * {@code spark-submit pipeline.jar run -1 READS -2 READS -o DIRECTORY [--work DIRECTORY] [--num-partitions N] [--num-threads N]}.
 * Nothing of it is installed anywhere: the jar holds the tools and their databases.
 */
public final class Pipeline {
  private static final String USAGE = "usage: pipeline.jar validate\n"
      + "       pipeline.jar run -1 READS -2 READS -o DIRECTORY [--work DIRECTORY] [--num-partitions N] [--num-threads N]";

  private final JavaSparkContext context;

  private Pipeline(JavaSparkContext context) {
    this.context = context;
  }

  public static void main(String[] words) throws Exception {
    if (words.length == 0 || !List.of("validate", "run").contains(words[0])) {
      System.err.println(USAGE);
      System.exit(2);
    }
    SparkSession session = SparkSession.builder().appName("META-pipe").getOrCreate();
    Pipeline pipeline = new Pipeline(JavaSparkContext.fromSparkContext(session.sparkContext()));
    boolean well = words[0].equals("validate") ? pipeline.validate() : pipeline.run(words);
    session.stop();
    if (!well) System.exit(1);
  }

  /** Whether every executor can run, and every tool starts there. */
  private boolean validate() {
    boolean[] well = {true};
    RootletSpark.probe(context.sc()).forEach(report -> {
      System.out.println(report);
      well[0] &= report.report().works();
    });
    int tasks = Math.max(2, context.defaultParallelism());
    List<String> found = numbers(tasks).mapPartitions(ignored -> {
      List<String> lines = new ArrayList<>();
      for (Program program : Program.values()) {
        try {
          Step.probe(program);
          lines.add("ok      " + program.path() + "  " + program.digest());
        } catch (IOException | RuntimeException e) {
          lines.add("MISSING " + program.path() + "  " + e.getMessage());
        }
      }
      return lines.iterator();
    }).distinct().collect();
    found.stream().sorted().forEach(System.out::println);
    return well[0] && found.stream().noneMatch(line -> line.startsWith("MISSING"));
  }

  private JavaRDD<Integer> numbers(int count) {
    return context.parallelize(IntStream.range(0, count).boxed().toList(), count);
  }

  private static String option(String[] words, String name, String without) {
    int at = Arrays.asList(words).indexOf(name);
    String value = at >= 0 && at + 1 < words.length ? words[at + 1] : without;
    if (value == null) throw new IllegalArgumentException(name + " is missing\n" + USAGE);
    return value;
  }

  private boolean run(String[] words) throws IOException {
    // Paths as texts: a Path cannot be sent to an executor.
    String first = Path.of(option(words, "-1", null)).toAbsolutePath().toString();
    String second = Path.of(option(words, "-2", null)).toAbsolutePath().toString();
    Path results = Files.createDirectories(Path.of(option(words, "-o", null)).toAbsolutePath());
    String work = option(words, "--work", results.resolve("work").toString());
    int partitions = Integer.parseInt(option(words, "--num-partitions", "8"));
    String threads = option(words, "--num-threads", "1");

    List<Fasta> contigs = numbers(1).map(ignored -> Chain.assemble(work, Path.of(first), Path.of(second))).first();
    save(results, "contigs.fasta", Fasta.text(contigs));

    JavaRDD<Fasta> spread = context.parallelize(contigs, Math.max(1, Math.min(partitions, contigs.size())));
    List<Fasta> proteins = spread.mapPartitionsWithIndex(
        (number, share) -> Chain.prodigal(work, number, list(share)).iterator(), true).collect();
    save(results, "prodigal.faa", Fasta.text(proteins));

    String model = numbers(1).map(ignored -> Chain.train(work, contigs.get(0)).toString()).first();
    List<String> predictions = spread.map(contig -> Chain.glimmer(work, contig, Path.of(model))).collect();
    save(results, "glimmer.predict", String.join("", predictions));

    JavaRDD<Fasta> queries = context.parallelize(proteins, partitions);
    List<String> hits = sorted(queries.mapPartitionsWithIndex(
        (number, share) -> Chain.blastp(work, number, list(share), threads).iterator(), true).collect());
    save(results, "blastp.tsv", lines(hits));
    List<String> profiles = queries.mapPartitionsWithIndex(
        (number, share) -> Chain.hmmscan(work, number, list(share)).iterator(), true).collect();
    save(results, "hmmscan.tsv", lines(profiles));

    List<Tuple2<Tuple2<String, List<Fasta>>, Long>> families = numbered(Report.families(proteins, hits));
    List<String> aligned = context.parallelize(families, partitions)
        .map(one -> Chain.mafft(work, one._2().intValue(), one._1()._1(), one._1()._2())).collect();
    save(results, "families.fa", String.join("", aligned));

    String table = Report.table(proteins, String.join("", predictions).lines().toList(), hits, profiles);
    save(results, "table.txt", table);
    String page = numbers(1).map(ignored -> Chain.krona(work, table).toString()).first();
    save(results, "krona.html", Files.readString(Path.of(page)));
    System.out.printf("%d contigs, %d proteins, %d hits, %d families: %s%n", contigs.size(), proteins.size(), hits.size(),
        families.size(), results.resolve("krona.html"));
    return true;
  }

  private static List<Tuple2<Tuple2<String, List<Fasta>>, Long>> numbered(Map<String, List<Fasta>> families) {
    List<Tuple2<Tuple2<String, List<Fasta>>, Long>> all = new ArrayList<>();
    families.forEach((subject, members) -> all.add(new Tuple2<>(new Tuple2<>(subject, members), (long) all.size())));
    return all;
  }

  private static <T> List<T> list(Iterator<T> all) {
    List<T> list = new ArrayList<>();
    all.forEachRemaining(list::add);
    return list;
  }

  private static List<String> sorted(List<String> lines) {
    return lines.stream().sorted(Comparator.naturalOrder()).toList();
  }

  private static String lines(List<String> all) {
    return all.isEmpty() ? "" : String.join("\n", all) + "\n";
  }

  private static void save(Path results, String name, String text) throws IOException {
    Files.writeString(results.resolve(name), text);
  }
}
