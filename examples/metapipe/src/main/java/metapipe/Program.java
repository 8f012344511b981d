// SPDX-License-Identifier: MIT
package metapipe;

import io.rootlet.Tool;
import io.rootlet.ToolCommand;
import java.util.ArrayList;
import java.util.List;

/**
 * The programs of the chain, each at the path that META-pipe has for it, in the image of the jar that holds
 * it. {@code help} is a call that ends with 0 and does nothing, for the probe; {@code databases} says
 * whether it is shown the reference databases.
 */
enum Program {
  RAY("ray", "/opt/bio/ray/Ray", false, "-version"),
  PRODIGAL("prodigal", "/share/apps/gepan/share/mga/prodigal", false, "-h"),
  LONG_ORFS("glimmer", "/opt/bio/glimmer/bin/long-orfs", false, "-h"),
  EXTRACT("glimmer", "/opt/bio/glimmer/bin/extract", false, "-h"),
  BUILD_ICM("glimmer", "/opt/bio/glimmer/bin/build-icm", false, "-h"),
  GLIMMER("glimmer", "/opt/bio/glimmer/bin/glimmer3", false, "-h"),
  BLASTP("blast", "/opt/bio/ncbi/bin/blastp", true, "-version"),
  HMMSCAN("hmmer", "/opt/local/hmmer30rc2/binaries/hmmscan", true, "-h"),
  MAFFT("mafft", "/opt/bio/mafft/bin/mafft", false, "--version"),
  KRONA("krona", "/opt/local/kronatools20/bin/ktImportText", false);

  static final String DATABASES = "/share/apps/gepan/bio_databases";
  static final String SCRATCH = "/state/partition1";

  private final String image;
  private final String path;
  private final boolean databases;
  private final List<String> help;

  Program(String image, String path, boolean databases, String... help) {
    this.image = image;
    this.path = path;
    this.databases = databases;
    this.help = List.of(help);
  }

  String path() {
    return path;
  }

  List<String> help() {
    return help;
  }

  /** "sha256:..." of its image. */
  String digest() {
    return Tool.fromClasspath(image).digest();
  }

  /** A run that sees nothing of the host; what it may see is added to it. */
  ToolCommand command(List<String> arguments) {
    ToolCommand command = Tool.fromClasspath(image).command(new ArrayList<>(arguments)).program(path)
        .profile(ToolCommand.Profile.ISOLATED)
        .env("PERL_HASH_SEED", "0").env("PERL_PERTURB_KEYS", "0"); // Krona writes in the order of a hash
    return databases ? command.attach(Tool.fromClasspath("bio_databases"), DATABASES) : command;
  }
}
