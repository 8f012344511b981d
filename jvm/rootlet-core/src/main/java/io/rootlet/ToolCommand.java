// SPDX-License-Identifier: MIT
package io.rootlet;

import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * What is to be run, and how: the tool, its arguments, what it sees of the host, its limits. Immutable:
 * each method returns another command. Serializable.
 *
 * <p>Without further words a run is that of the launcher's profile "contained": the current directory,
 * writable, and nothing else of the host; no network.
 */
public final class ToolCommand implements Serializable {
  private static final long serialVersionUID = 1;
  private static final Set<String> OURS =
      Set.of("status", "status-fd", "die-with-parent", "image", "keep", "pass-fd", "help", "version", "inspect",
          "doctor", "dry-run", "shell");

  /** The set of defaults of a run. */
  public enum Profile {
    /** Nothing of the host but what is bound. */
    ISOLATED,
    /** The current directory. */
    CONTAINED,
    /** Home, current and temporary directories, the host's network: convenience, no boundary. */
    COMPAT
  }

  /** The network of a run. */
  public enum Network {
    NONE,
    HOST,
    PRIVATE
  }

  /** Reads lines of stderr; serializable, as commands are. */
  @FunctionalInterface
  public interface LineListener extends Consumer<String>, Serializable {}

  private final Tool tool;
  private final List<String> arguments;
  private List<String> options = List.of();
  private List<Attached> attached = List.of();
  private TreeMap<String, String> environment = new TreeMap<>();
  private String directory = "";
  private Duration timeout;
  private TreeSet<Integer> accepted = new TreeSet<>(Set.of(0));
  private int tail = 64 << 10;
  private LineListener listener;
  private Duration grace = Duration.ofMillis(50);
  private transient ToolSession session;

  ToolCommand(Tool tool, List<String> arguments) {
    this.tool = tool;
    this.arguments = arguments;
    if (!arguments.isEmpty() && arguments.get(0).matches("--(rootlet|appimage)-.*")) {
      throw new IllegalArgumentException(arguments.get(0) + ": the launcher would take it for its own");
    }
  }

  private ToolCommand with(Consumer<ToolCommand> change) {
    ToolCommand copy = new ToolCommand(tool, arguments);
    copy.options = options;
    copy.attached = attached;
    copy.environment = environment;
    copy.directory = directory;
    copy.timeout = timeout;
    copy.accepted = accepted;
    copy.tail = tail;
    copy.listener = listener;
    copy.grace = grace;
    copy.session = session;
    change.accept(copy);
    return copy;
  }

  private ToolCommand add(String option) {
    List<String> more = new ArrayList<>(options);
    more.add(option);
    return with(copy -> copy.options = List.copyOf(more));
  }

  /** Any other option of the launcher, as "NAME" or "NAME=VALUE" (rootlet run --help lists them). */
  public ToolCommand option(String option) {
    String name = option.replaceFirst("=.*", "").replaceFirst("^--", "");
    if (OURS.contains(name)) throw new IllegalArgumentException(option + ": this library sets it itself");
    return add(option.replaceFirst("^--", ""));
  }

  public ToolCommand profile(Profile profile) {
    return add("profile=" + word(profile));
  }

  public ToolCommand network(Network network) {
    return add("net=" + word(network));
  }

  private static String word(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  /** Shows a path of the host at `inside`, read-only. */
  public ToolCommand bindReadOnly(Path host, String inside) {
    return bind(host, inside, "ro");
  }

  /** Shows a path of the host at `inside`, writable. */
  public ToolCommand bindWritable(Path host, String inside) {
    return bind(host, inside, "rw");
  }

  private ToolCommand bind(Path host, String inside, String mode) {
    return add("bind=" + escaped(host.toAbsolutePath().toString()) + ":" + escaped(inside) + ":" + mode);
  }

  /** Shows an input at its own path, read-only. */
  public ToolCommand input(Path path) {
    return add("input=" + escaped(path.toAbsolutePath().toString()));
  }

  /** Shows a directory for results at its own path, writable. */
  public ToolCommand output(Path directory) {
    return add("output=" + escaped(directory.toAbsolutePath().toString()));
  }

  /** Shows another image (FILE, FILE@OFFSET, JAR!/ENTRY) at `inside`, read-only. */
  public ToolCommand attach(String image, String inside) {
    return add("attach=" + escaped(image) + ":" + escaped(inside));
  }

  /** Shows an image of the class path, or of a jar, at `inside`; found where the run starts, as the tool is. */
  public ToolCommand attach(Tool data, String inside) {
    List<Attached> more = new ArrayList<>(attached);
    more.add(new Attached(data, inside));
    return with(copy -> copy.attached = List.copyOf(more));
  }

  private record Attached(Tool data, String inside) implements Serializable {
    String option() {
      return "attach=" + escaped(data.location()) + ":" + escaped(inside);
    }
  }

  /** An empty writable place over the image, gone at the end. */
  public ToolCommand scratch(String inside) {
    return add("writable=" + inside);
  }

  /** The size of what is private and writable, as /tmp; in bytes. */
  public ToolCommand scratchSize(long bytes) {
    return add("tmp=" + (bytes + 1023) / 1024 + "k");
  }

  private static String escaped(String path) {
    return path.replace("\\", "\\\\").replace(":", "\\:");
  }

  /** Sets a variable inside. */
  public ToolCommand env(String name, String value) {
    return add("env=" + name + "=" + value);
  }

  /** Starts with a clean environment, but for LANG, LC_*, TERM and what `env` sets. */
  public ToolCommand cleanEnv() {
    return add("clean-env");
  }

  /** Another program of the image than its own: a path inside. */
  public ToolCommand program(String path) {
    return add("exec=" + path);
  }

  /** A further system-call filter. */
  public ToolCommand seccomp(Path filter) {
    return add("seccomp=" + filter.toAbsolutePath());
  }

  /** Learned rules of system calls and paths. */
  public ToolCommand rules(Path rules) {
    return add("rules=" + rules.toAbsolutePath());
  }

  /** The memory of the run, in bytes; what goes beyond ends it. */
  public ToolCommand memoryMax(long bytes) {
    return add("memory=" + bytes);
  }

  /** Processors' time, as 2 or 0.5. */
  public ToolCommand cpus(double processors) {
    return add("cpus=" + String.format(Locale.ROOT, "%.3f", processors));
  }

  /** Processes and threads at a time. */
  public ToolCommand processesMax(int count) {
    return add("pids=" + count);
  }

  /** Ends the whole run after this time, which is never a normal end. */
  public ToolCommand timeout(Duration limit) {
    String seconds = String.format(Locale.ROOT, "%d.%03d", limit.toSeconds(), limit.toMillisPart());
    return add("timeout=" + seconds).with(copy -> copy.timeout = limit);
  }

  /** The directory in which the run starts, and which it sees; else that of this JVM. */
  public ToolCommand directory(Path path) {
    return with(copy -> copy.directory = path.toAbsolutePath().toString());
  }

  /** A variable of the launcher itself; the tool gets it as the profile says. */
  public ToolCommand callerEnv(String name, String value) {
    TreeMap<String, String> more = new TreeMap<>(environment);
    more.put(name, value);
    return with(copy -> copy.environment = more);
  }

  /** Exit statuses that are no failure, in place of 0 alone: grep's 1, for example. */
  public ToolCommand accept(Integer... statuses) {
    return with(copy -> copy.accepted = new TreeSet<>(List.of(statuses)));
  }

  /** Who reads stderr, line by line; and how much of its end errors carry, in bytes. */
  public ToolCommand stderr(LineListener lines, int tailBytes) {
    return with(copy -> {
      copy.listener = lines;
      copy.tail = tailBytes;
    });
  }

  /** How long a run that is closed has, between SIGTERM and SIGKILL. */
  public ToolCommand killGrace(Duration time) {
    return with(copy -> copy.grace = time);
  }

  /** Takes part in a session: its runs share a warm image server. Not serialized. */
  public ToolCommand in(ToolSession warm) {
    return with(copy -> copy.session = warm);
  }

  /** Starts it. */
  public ToolRun start() {
    return ToolRun.start(this);
  }

  /** Runs it without input, and takes all of its output. */
  public ToolOutput run() {
    return run(new byte[0]);
  }

  /** Runs it with this input, and takes all of its output. */
  public ToolOutput run(byte[] input) {
    try (ToolRun run = start()) {
      run.feed(out -> out.write(input));
      byte[] output = run.stdout().readAllBytes();
      return new ToolOutput(run.await(), output);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** Starts it as a Process, for code that takes one. Destroying it ends the whole run. */
  public Process toProcess() throws IOException {
    return new ToolProcess(toProcessBuilder().start(), grace);
  }

  /** For code that starts processes itself, in this JVM, with which its runs end. */
  public ProcessBuilder toProcessBuilder() {
    Image image = tool.image();
    ProcessBuilder builder = new ProcessBuilder(Launch.words(Stub.of(image.file()), image, this, ""));
    prepare(builder);
    return builder;
  }

  /**
   * The words of a command that another JVM can start, on another machine that has the same jar: for
   * {@code rdd.pipe(...)}. See {@link PortableCommand}.
   */
  public List<String> portable() {
    return PortableCommand.words(tool.image(), this);
  }

  void prepare(ProcessBuilder builder) {
    if (!directory.isEmpty()) builder.directory(new java.io.File(directory));
    Launch.clean(builder.environment());
    builder.environment().putAll(environment);
    if (session != null) session.prepare(builder.environment());
  }

  /** Whether an option of the launcher was given by this name. */
  public boolean hasOption(String name) {
    return options.stream().anyMatch(option -> option.equals(name) || option.startsWith(name + "="));
  }

  /** The name of the image. */
  public String toolName() {
    return tool.name();
  }

  Tool tool() {
    return tool;
  }

  /** The tool's own arguments. */
  public List<String> arguments() {
    return arguments;
  }

  /** Of the launcher; what is attached is looked for now. */
  List<String> options() {
    List<String> all = new ArrayList<>(options);
    for (Attached one : attached) all.add(one.option());
    return all;
  }

  Duration timeout() {
    return timeout;
  }

  boolean accepts(int status) {
    return accepted.contains(status);
  }

  int tailBytes() {
    return tail;
  }

  LineListener listener() {
    return listener;
  }

  Duration grace() {
    return grace;
  }

  ToolSession session() {
    return session;
  }

  @Override
  public String toString() {
    return tool + " " + arguments;
  }
}
