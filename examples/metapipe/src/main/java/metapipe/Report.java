// SPDX-License-Identifier: MIT
package metapipe;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** From what the steps found to the table that Krona draws. */
final class Report {
  private Report() {}

  /** Families of at least a subject and one protein: subject -> its part, then the proteins by name. */
  static Map<String, List<Fasta>> families(List<Fasta> proteins, List<String> hits) {
    Map<String, String[]> best = Chain.best(hits);
    Map<String, String[]> reference = new TreeMap<>();
    Map<String, List<Fasta>> members = new TreeMap<>();
    for (Fasta protein : proteins.stream().sorted(java.util.Comparator.comparing(Fasta::name)).toList()) {
      String[] hit = best.get(protein.name());
      if (hit == null) continue;
      reference.putIfAbsent(hit[1], hit);
      members.computeIfAbsent(hit[1], subject -> new ArrayList<>()).add(new Fasta(protein.name(), protein.sequence()));
    }
    members.forEach((subject, list) -> list.add(0, new Fasta(subject, reference.get(subject)[6].replace("-", ""))));
    return members;
  }

  /** Counts by contig, by who predicts the gene, by its best hit, by its best profile. */
  static String table(List<Fasta> proteins, List<String> predictions, List<String> hits, List<String> profiles) {
    Set<String> stops = stops(predictions);
    Map<String, String[]> best = Chain.best(hits);
    Map<String, String> profile = new TreeMap<>();
    for (String line : profiles) {
      String[] words = line.split("\t"); // sorted by e-value within a query, as hmmscan writes them
      profile.putIfAbsent(words[2], words[0]);
    }
    Map<String, Integer> counts = new TreeMap<>();
    for (Fasta protein : proteins) {
      String contig = protein.name().replaceFirst("_[0-9]+$", "");
      String[] words = protein.header().split(" # ");
      String stop = contig + " " + ("1".equals(words[3]) ? words[2] : words[1]);
      String[] hit = best.get(protein.name());
      counts.merge(String.join("\t", contig, stops.contains(stop) ? "Prodigal and Glimmer" : "Prodigal alone",
          hit == null ? "unknown" : hit[1], profile.getOrDefault(protein.name(), "no profile")), 1, Integer::sum);
    }
    StringBuilder text = new StringBuilder();
    counts.forEach((path, count) -> text.append(count).append('\t').append(path).append('\n'));
    return text.toString();
  }

  /** Where Glimmer's genes end: "contig1 1234". */
  private static Set<String> stops(List<String> predictions) {
    Set<String> stops = new TreeSet<>();
    String contig = "";
    for (String line : predictions) {
      if (line.startsWith(">")) contig = line.substring(1).split("\\s")[0];
      if (line.startsWith("orf")) stops.add(contig + " " + line.split("\\s+")[2]);
    }
    return stops;
  }
}
