// SPDX-License-Identifier: MIT
package metapipe;

import io.rootlet.ToolCommand;
import io.rootlet.ToolException;
import io.rootlet.ToolRun;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.apache.spark.TaskContext;
import org.apache.spark.util.TaskCompletionListener;

/**
 * One tool on one partition, by the conventions with which COMBUST I/O calls its tools:
 *
 * <ul>
 *   <li>a list of arguments, no shell; a working directory of the partition's own; stdin closed at once;
 *       stdout and stderr drained into files;
 *   <li>the input is {@code NAMEInput/NAME.in_N}, the output {@code NAMEOutput/NAME.out_N}, by absolute paths;
 *   <li>before its first run in a JVM a program is called by its help flag: 127 means that it is not there;
 *   <li>0 is success, all else ends the job;
 *   <li>{@code STEP_SUCCESS} holds the exit status and what the step was, so that a pipeline that is started
 *       again leaves out what is done.
 * </ul>
 */
final class Step {
  private static final Set<Program> PROBED = ConcurrentHashMap.newKeySet();

  private final Path place;
  private final String name;
  private final int number;
  private final List<Path> shown = new ArrayList<>();
  private Path stdin;

  /** Files are below {@code work}, which all executors see. */
  Step(String work, String name, int number) {
    this.place = Path.of(work).toAbsolutePath();
    this.name = name;
    this.number = number;
  }

  Path input() {
    return place.resolve(name + "Input").resolve(name + ".in_" + number);
  }

  Path output() {
    return place.resolve(name + "Output").resolve(name + ".out_" + number);
  }

  /** The working directory of the partition. */
  Path directory() {
    return place.resolve(name + "Work").resolve(String.valueOf(number));
  }

  /** Writes the input file; a step that is done stays so only with the same input. */
  Step write(String text) throws IOException {
    openDirectory(input().getParent());
    Files.writeString(input(), text);
    return this;
  }

  /** Shows another step's results, too, at their own path, read-only. */
  Step show(Path directory) {
    shown.add(directory);
    return this;
  }

  /** Gives the program this file as its stdin, where it knows no other way. */
  Step feed(Path file) {
    stdin = file;
    return this;
  }

  /** What to call: {@code toOutput} says that the program writes its result to stdout. */
  Step run(Program program, List<String> arguments, boolean toOutput) throws IOException {
    probe(program);
    openDirectory(output().getParent());
    openDirectory(directory());
    String unique = unique(program, arguments);
    Path success = directory().resolve("STEP_SUCCESS");
    Path result = toOutput ? output() : directory().resolve("stdout");
    if (isDone(success, unique) && Files.exists(result)) return this;
    Files.deleteIfExists(success);
    int status = call(program, arguments, result);
    Files.writeString(success, status + " " + unique + "\n");
    return this;
  }

  private int call(Program program, List<String> arguments, Path result) throws IOException {
    ToolCommand command = program.command(arguments).directory(directory()).bindWritable(directory(), directory().toString())
        .bindWritable(output().getParent(), output().getParent().toString())
        .bindWritable(scratch(), Program.SCRATCH).env("TMPDIR", Program.SCRATCH).env("HOME", Program.SCRATCH)
        .option("cwd=" + directory());
    if (Files.exists(input())) command = command.bindReadOnly(input().getParent(), input().getParent().toString());
    for (Path directory : shown) command = command.bindReadOnly(directory, directory.toString());
    try (ToolRun run = command.start()) {
      TaskContext task = TaskContext.get(); // none on the driver
      if (task != null) task.addTaskCompletionListener((TaskCompletionListener) ended -> run.cancel());
      if (stdin == null) {
        run.stdin().close();
      } else {
        run.feed(in -> Files.copy(stdin, in));
      }
      try (InputStream out = run.stdout()) {
        Files.copy(out, result, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
      }
      return run.await().exit();
    } finally {
      clear(scratch());
    }
  }

  /** What the cluster's nodes have at /state/partition1: a place of this partition's own. */
  private Path scratch() throws IOException {
    return openDirectory(directory().resolve("scratch"));
  }

  /** A program that is not there is known before the first partition has waited for anything. */
  static void probe(Program program) throws IOException {
    if (PROBED.contains(program)) return;
    try (ToolRun run = program.command(program.help()).accept(Stream.iterate(0, n -> n + 1).limit(126).toArray(Integer[]::new))
             .start()) {
      run.stdin().close();
      run.stdout().readAllBytes();
      run.await();
    } catch (ToolException.NotFound e) {
      throw new IOException(program.path() + ": not found (127)", e);
    }
    PROBED.add(program);
  }

  private boolean isDone(Path success, String unique) throws IOException {
    return Files.exists(success) && Files.readString(success).equals("0 " + unique + "\n");
  }

  /** Of the image, the arguments and the input: another of these is another step. */
  private String unique(Program program, List<String> arguments) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update((program.digest() + "\0" + String.join("\0", arguments)).getBytes(StandardCharsets.UTF_8));
      for (Path file : new Path[] {input(), stdin}) {
        if (file != null && Files.exists(file)) digest.update(Files.readAllBytes(file));
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Executors of several users write into them. */
  private static Path openDirectory(Path directory) throws IOException {
    if (Files.isDirectory(directory)) return directory;
    Files.createDirectories(directory);
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
    return directory;
  }

  private static void clear(Path directory) throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) Files.delete(path);
    }
  }
}
