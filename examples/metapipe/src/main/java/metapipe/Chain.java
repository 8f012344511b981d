// SPDX-License-Identifier: MIT
package metapipe;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * The steps, each on one partition's share. {@code chain.sh} beside the project does the same in plain
 * shell, without partitions.
 */
final class Chain {
  /** The BLAST database is split, as META-pipe's UniRef50 was: one launch for each part. */
  static final int SPLITS = 8;
  private static final int SHORTEST_CONTIG = 500;

  private Chain() {}

  /** Assembles pairs of reads: one rank. Contigs come longest first, under names of ours. */
  static List<Fasta> assemble(String work, Path first, Path second) throws IOException {
    Step step = new Step(work, "ray", 0).show(first.getParent()).show(second.getParent());
    Path result = step.directory().resolve("assembly");
    Path contigs = result.resolve("Contigs.fasta");
    if (!Files.exists(contigs)) {
      if (Files.exists(result)) throw new IOException(result + ": an assembly that was cut short; remove it");
      step.run(Program.RAY, List.of("-k", "31", "-p", first.toString(), second.toString(), "-o", result.toString()), false);
    }
    List<Fasta> all = Fasta.read(Files.readAllLines(contigs)).stream()
        .filter(contig -> contig.sequence().length() >= SHORTEST_CONTIG).map(Fasta::onLesserStrand)
        .sorted(Comparator.comparingInt((Fasta contig) -> -contig.sequence().length()).thenComparing(Fasta::sequence)).toList();
    return IntStream.range(0, all.size()).mapToObj(i -> new Fasta("contig" + (i + 1), all.get(i).sequence())).toList();
  }

  /** Proteins of each contig: "contig1_2 # START # END # STRAND". */
  static List<Fasta> prodigal(String work, int partition, List<Fasta> contigs) throws IOException {
    if (contigs.isEmpty()) return List.of();
    Step step = new Step(work, "prodigal", partition).write(Fasta.text(contigs));
    step.run(Program.PRODIGAL, List.of("-i", step.input().toString(), "-a", step.output().toString(), "-p", "meta", "-q",
        "-f", "gff", "-o", step.directory().resolve("genes.gff").toString()), false);
    List<Fasta> proteins = new ArrayList<>();
    for (Fasta one : Fasta.read(Files.readAllLines(step.output()))) {
      // ID counts the contigs of one call.
      proteins.add(new Fasta(one.header().replaceFirst(" # ID=.*", ""), one.sequence().replace("*", "")));
    }
    return proteins;
  }

  /** Glimmer's model of the longest contig. */
  static Path train(String work, Fasta longest) throws IOException {
    Step orfs = new Step(work, "long-orfs", 0).write(longest.text());
    orfs.run(Program.LONG_ORFS, List.of("-n", "-t", "1.15", orfs.input().toString(), orfs.output().toString()), false);
    Step extract = new Step(work, "extract", 0).write(longest.text()).show(orfs.output().getParent());
    extract.run(Program.EXTRACT, List.of("-t", extract.input().toString(), orfs.output().toString()), true);
    Step model = new Step(work, "build-icm", 0).feed(extract.output());
    model.run(Program.BUILD_ICM, List.of("-r", model.output().toString()), false);
    return model.output();
  }

  /** What Glimmer predicts on one contig, as its own text. */
  static String glimmer(String work, Fasta contig, Path model) throws IOException {
    int number = Integer.parseInt(contig.name().substring("contig".length()));
    Step step = new Step(work, "glimmer", number).write(contig.text()).show(model.getParent());
    step.run(Program.GLIMMER, List.of("-o50", "-g110", "-t30", step.input().toString(), model.toString(), step.output().toString()), false);
    return Files.readString(Path.of(step.output() + ".predict"));
  }

  /** Hits in all parts of the database: query, subject, identity, length, e-value, bits, the subject's part. */
  static List<String> blastp(String work, int partition, List<Fasta> proteins, String threads) throws IOException {
    List<String> hits = new ArrayList<>();
    for (int split = 1; split <= SPLITS && !proteins.isEmpty(); split++) {
      Step step = new Step(work, "blastp" + split, partition).write(Fasta.text(proteins));
      step.run(Program.BLASTP, List.of("-query", step.input().toString(), "-db", Program.DATABASES + "/uniref50_split_" + split,
          "-dbsize", "1000000", "-evalue", "1e-5", "-num_threads", threads, "-outfmt", "6 qseqid sseqid pident length evalue bitscore sseq",
          "-out", step.output().toString()), false);
      hits.addAll(Files.readAllLines(step.output()));
    }
    return hits;
  }

  /** Hits of the profiles, as hmmscan's table without its comments. */
  static List<String> hmmscan(String work, int partition, List<Fasta> proteins) throws IOException {
    if (proteins.isEmpty()) return List.of();
    Step step = new Step(work, "hmmscan", partition).write(Fasta.text(proteins));
    step.run(Program.HMMSCAN, List.of("--cpu", "1", "-E", "1e-5", "--tblout", step.output().toString(),
        Program.DATABASES + "/Pfam-A.hmm", step.input().toString()), false);
    return Files.readAllLines(step.output()).stream().filter(line -> !line.startsWith("#"))
        .map(line -> String.join("\t", line.split("\\s+"))).toList();
  }

  /** One family, aligned: a subject's part and the proteins that are most like it. */
  static String mafft(String work, int number, String subject, List<Fasta> members) throws IOException {
    Step step = new Step(work, "mafft", number).write(Fasta.text(members));
    step.run(Program.MAFFT, List.of("--auto", "--quiet", step.input().toString()), true);
    return "# " + subject + "\n" + Files.readString(step.output());
  }

  /** The report: one page, which shows a table of counts as rings. */
  static Path krona(String work, String table) throws IOException {
    Step step = new Step(work, "krona", 0).write(table);
    return step.run(Program.KRONA, List.of("-n", "META-pipe", "-o", step.output().toString(), step.input() + ",genes"), false).output();
  }

  /** The best hit of each query: most bits, then the subject's name. */
  static Map<String, String[]> best(List<String> hits) {
    Map<String, String[]> best = new TreeMap<>();
    Comparator<String[]> better = Comparator.comparingDouble((String[] hit) -> -Double.parseDouble(hit[5])).thenComparing(hit -> hit[1]);
    for (String line : hits) best.merge(line.split("\t")[0], line.split("\t"), (a, b) -> better.compare(a, b) <= 0 ? a : b);
    return best;
  }
}
