// SPDX-License-Identifier: MIT
package metapipe;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/** A sequence and the line above it, without ">". */
record Fasta(String header, String sequence) implements Serializable {
  /** The first word of the header. */
  String name() {
    return header.split("\\s", 2)[0];
  }

  String text() {
    return ">" + header + "\n" + sequence + "\n";
  }

  static String text(Iterable<Fasta> all) {
    StringBuilder text = new StringBuilder();
    for (Fasta one : all) text.append(one.text());
    return text.toString();
  }

  static List<Fasta> read(List<String> lines) {
    List<Fasta> all = new ArrayList<>();
    StringBuilder sequence = new StringBuilder();
    String header = null;
    for (String line : lines) {
      if (line.startsWith(">")) {
        if (header != null) all.add(new Fasta(header, sequence.toString()));
        header = line.substring(1);
        sequence.setLength(0);
      } else {
        sequence.append(line.strip());
      }
    }
    if (header != null) all.add(new Fasta(header, sequence.toString()));
    return all;
  }

  /** On the strand that comes first in the alphabet: assemblers take either. */
  Fasta onLesserStrand() {
    StringBuilder other = new StringBuilder(sequence).reverse();
    for (int i = 0; i < other.length(); i++) {
      int at = "ACGTN".indexOf(other.charAt(i));
      if (at >= 0) other.setCharAt(i, "TGCAN".charAt(at));
    }
    return new Fasta(header, sequence.compareTo(other.toString()) <= 0 ? sequence : other.toString());
  }
}
