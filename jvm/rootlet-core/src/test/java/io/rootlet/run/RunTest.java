// SPDX-License-Identifier: MIT
package io.rootlet.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rootlet.HostReport;
import io.rootlet.Rootlet;
import io.rootlet.Tool;
import io.rootlet.ToolCommand;
import io.rootlet.ToolException;
import io.rootlet.ToolOutput;
import io.rootlet.ToolResult;
import io.rootlet.ToolRun;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What goes in comes out: runs that go well. */
@Tag("run")
@Timeout(60)
class RunTest {
  @Test
  void a_tool_from_the_class_path_runs_out_of_its_jar() {
    ToolOutput out = Probe.shell("cat /opt/foo/share/data.txt; echo oops >&2").run();
    assertEquals("data of the image\n", out.text());
    assertEquals("oops\n", out.result().stderrTail());
    assertTrue(Probe.TOOL.location().startsWith(Probe.JAR + "@"), Probe.TOOL.location());
    assertTrue(Probe.TOOL.digest().startsWith("sha256:"));
  }

  @Test
  void from_a_jar_and_from_a_file_are_the_same() {
    for (Tool tool : List.of(Tool.fromJar(Probe.JAR, "probe"), Tool.fromFile(Probe.IMAGE))) {
      assertEquals("data of the image\n",
          tool.command("-c", "cat /opt/foo/share/data.txt").program("/bin/sh").run().text());
    }
  }

  @Test
  void a_second_name_of_an_image_is_the_same_image() {
    Tool other = Tool.fromClasspath("probe-too");
    assertEquals(Probe.TOOL.location(), other.location());
    assertEquals("data of the image\n", other.command("-c", "cat /opt/foo/share/data.txt").program("/bin/sh")
        .run().text());
  }

  @Test
  void arguments_reach_the_tool_as_they_are() {
    String[] words = {"", "a b", "--rootlet-x", "--", "é\n\t*", "'\"\\$HOME"};
    String text = Probe.shell("for word; do printf '<%s>' \"$word\"; done", concat("sh", words)).run().text();
    assertEquals("<><a b><--rootlet-x><--><é\n\t*><'\"\\$HOME>", text);
    assertThrows(IllegalArgumentException.class, () -> Probe.TOOL.command("--rootlet-help"));
  }

  private static String[] concat(String first, String[] rest) {
    String[] all = new String[rest.length + 1];
    all[0] = first;
    System.arraycopy(rest, 0, all, 1, rest.length);
    return all;
  }

  @Test
  void many_megabytes_each_way_while_stderr_floods_do_not_deadlock() throws Exception {
    byte[] block = new byte[1 << 20];
    new Random(1).nextBytes(block);
    int blocks = 48;
    long[] lines = {0};
    ToolCommand command = Probe.shell("yes flood | head -c 42000000 >&2 & cat; wait")
        .stderr(line -> lines[0]++, 1000);
    try (ToolRun run = command.start()) {
      run.feed(out -> {
        for (int i = 0; i < blocks; i++) out.write(block);
      });
      InputStream in = run.stdout();
      for (int i = 0; i < blocks; i++) assertArrayEquals(block, in.readNBytes(block.length));
      assertEquals(-1, in.read());
      ToolResult result = run.await();
      assertEquals((long) blocks << 20, result.bytesIn());
      assertEquals((long) blocks << 20, result.bytesOut());
      assertTrue(result.stderrTail().endsWith("flood\n"));
      assertEquals(42_000_000 / 6, lines[0]);
    }
  }

  @Test
  void a_tool_that_has_read_enough_is_no_failure() throws Exception {
    try (ToolRun run = Probe.shell("head -c 3").start()) {
      run.feed(out -> {
        while (true) out.write(new byte[1 << 16]);
      });
      assertEquals(3, run.stdout().readAllBytes().length);
      assertEquals(0, run.await().exit());
    }
  }

  @Test
  void a_reader_that_has_enough_closes_and_the_tool_ends() throws Exception {
    try (ToolRun run = Probe.shell("yes").accept(0, 141).start()) {
      run.stdout().readNBytes(1000);
      run.stdout().close();
      // busybox' yes ends when its output has no reader
      assertThrows(ToolException.class, () -> {
        throw run.await().exit() >= 0 ? new ToolEnded() : new ToolEnded();
      });
    } catch (ToolException.Signalled e) {
      assertEquals(13, e.signal());
    } catch (ToolEnded e) {
      // it ended by itself
    }
  }

  private static final class ToolEnded extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  @Test
  void nobody_writes_and_nobody_reads_and_it_ends_all_the_same() {
    try (ToolRun run = Probe.shell("cat; yes | head -c 10000000").start()) {
      assertEquals(0, run.await().exit());
    }
  }

  @Test
  void statuses_that_are_accepted_are_results() {
    assertEquals(1, Probe.shell("exit 1").accept(0, 1).run().result().exit());
    assertEquals(125, Probe.shell("exit 125").accept(125).run().result().exit());
  }

  @Test
  void directory_variables_and_binds_are_as_asked_for() throws Exception {
    Path directory = Files.createTempDirectory("a:b\\c");
    Files.writeString(directory.resolve("file"), "host\n");
    ToolCommand command = Probe.shell("cat /data/file; echo $A; pwd; echo x > /data/file && echo written")
        .bindReadOnly(directory, "/data").env("A", "a=b:c").directory(directory).accept(1);
    assertEquals(List.of("host", "a=b:c", directory.toString()), command.run().lines());
    Probe.shell("echo x > /data/new").bindWritable(directory, "/data").run();
    assertEquals("x\n", Files.readString(directory.resolve("new")));
    for (String name : List.of("file", "new")) Files.delete(directory.resolve(name));
    Files.delete(directory);
  }

  @Test
  void isolated_shows_inputs_and_outputs_alone() throws Exception {
    Path directory = Files.createTempDirectory("run");
    Path input = Files.writeString(directory.resolve("in"), "input\n");
    Path results = Files.createDirectory(directory.resolve("out"));
    ToolCommand command = Probe.TOOL.command("-c", "cat " + input + "; ls " + directory + "; echo y > " + results + "/y")
        .program("/bin/sh").profile(ToolCommand.Profile.ISOLATED).input(input).output(results);
    assertEquals(List.of("input", "in", "out"), command.run().lines());
    assertEquals("y\n", Files.readString(results.resolve("y")));
    for (Path path : List.of(results.resolve("y"), results, input, directory)) Files.delete(path);
  }

  @Test
  void the_result_tells_what_the_run_used() {
    ToolResult result = Probe.shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done").run().result();
    assertTrue(result.cpu().compareTo(Duration.ofMillis(20)) > 0, result.toString());
    assertTrue(result.maxRssBytes() > 500_000, result.toString());
    assertTrue(result.wall().compareTo(result.cpu().dividedBy(4)) > 0, result.toString());
    assertTrue(result.isolated());
  }

  @Test
  void existing_code_takes_a_process_or_its_builder() throws Exception {
    Process process = Probe.shell("read line; echo got $line; echo e >&2; exit 7").toProcess();
    try (java.io.OutputStream in = process.getOutputStream()) {
      in.write("x\n".getBytes());
    }
    assertEquals("got x\n", new String(process.getInputStream().readAllBytes()));
    assertEquals("e\n", new String(process.getErrorStream().readAllBytes()));
    assertEquals(7, process.waitFor());
    Process plain = Probe.shell("echo plain").toProcessBuilder().redirectErrorStream(true).start();
    plain.getOutputStream().close();
    assertEquals("plain\n", new String(plain.getInputStream().readAllBytes()));
    assertEquals(0, plain.waitFor());
  }

  @Test
  void a_portable_command_finds_the_jar_by_its_name() throws Exception {
    List<String> words = Probe.shell("cat; cat /opt/foo/share/data.txt").portable();
    Path elsewhere = Files.createTempDirectory("elsewhere");
    for (boolean beside : new boolean[] {false, true}) {
      if (beside) Files.createSymbolicLink(elsewhere.resolve(Probe.JAR.getFileName()), Probe.JAR);
      Process process = new ProcessBuilder(words).directory(elsewhere.toFile()).redirectErrorStream(true).start();
      process.getOutputStream().write("in\n".getBytes());
      process.getOutputStream().close();
      assertEquals("in\ndata of the image\n", new String(process.getInputStream().readAllBytes()));
      assertEquals(0, process.waitFor());
    }
    Files.delete(elsewhere.resolve(Probe.JAR.getFileName()));
    Files.delete(elsewhere);
  }

  @Test
  void commands_move_to_other_jvms() throws Exception {
    ToolCommand command = Probe.shell("cat /opt/foo/share/data.txt").env("A", "b").timeout(Duration.ofSeconds(9));
    command.run();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(command);
    }
    try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      assertEquals("data of the image\n", ((ToolCommand) in.readObject()).run().text());
    }
  }

  @Test
  void the_probe_says_that_runs_work_here() {
    HostReport report = Rootlet.probe();
    assertTrue(report.works(), report.toString());
    assertEquals(HostReport.Reason.NONE, report.reason());
    assertTrue(report.findings().size() > 10, report.findings().toString());
    assertFalse(report.stub().isEmpty());
  }
}
