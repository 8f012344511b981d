// SPDX-License-Identifier: MIT
package io.rootlet.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rootlet.Tool;
import io.rootlet.ToolCommand;
import io.rootlet.ToolException;
import io.rootlet.ToolRun;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Runs that do not go well: each has an error of its own kind, and never a normal end. */
@Tag("run")
@Timeout(60)
class FailureTest {
  private static <T extends ToolException> T fails(Class<T> kind, ToolCommand command) {
    return assertThrows(kind, command::run);
  }

  @Test
  void a_status_of_the_tool_is_told_from_one_of_the_launcher() {
    for (int status : new int[] {1, 124, 125, 126, 127, 137, 143}) {
      ToolException.Failed failed = fails(ToolException.Failed.class, Probe.shell("echo last >&2; exit " + status));
      assertEquals(status, failed.exit());
      assertEquals("last\n", failed.stderrTail());
      assertEquals("probe", failed.tool());
    }
    assertEquals(127, fails(ToolException.NotFound.class, Probe.TOOL.command().program("/no/such")).code());
    assertEquals(126,
        fails(ToolException.NotFound.class, Probe.TOOL.command().program("/opt/foo/share/data.txt")).code());
    ToolException refused = fails(ToolException.LauncherFailed.class,
        Probe.shell("true").bindReadOnly(Path.of("/no/such/path"), "/data"));
    assertTrue(refused.getMessage().contains("/no/such/path"), refused.getMessage());
    assertTrue(fails(ToolException.LauncherFailed.class, Probe.shell("true").option("nett=none")).remedy()
        .contains("net"));
  }

  @Test
  void death_by_a_signal_is_no_status() {
    assertEquals(9, fails(ToolException.Signalled.class, Probe.shell("kill -9 $$")).signal());
    assertEquals(15, fails(ToolException.Signalled.class, Probe.shell("kill -15 $$")).signal());
    assertEquals(137, fails(ToolException.Failed.class, Probe.shell("sh -c 'kill -9 $$'; exit $?")).exit());
    fails(ToolException.PolicyViolation.class, Probe.shell("kill -31 $$"));
  }

  @Test
  void a_time_out_is_never_a_normal_end_of_the_output() throws Exception {
    ToolCommand late = Probe.shell("trap '' TERM; echo partial; sleep 60").timeout(Duration.ofMillis(300));
    try (ToolRun run = late.start()) {
      assertThrows(ToolException.TimedOut.class, () -> run.lines().forEach(line -> assertEquals("partial", line)));
      assertThrows(ToolException.TimedOut.class, run::await);
    }
    // Nor is one of a tool that makes a normal end of SIGTERM.
    fails(ToolException.TimedOut.class, Probe.shell("trap 'exit 0' TERM; sleep 60 & wait")
        .timeout(Duration.ofMillis(300)));
  }

  @Test
  void output_of_a_run_that_failed_ends_with_its_error() throws Exception {
    try (ToolRun run = Probe.shell("echo one; echo two; exit 3").start()) {
      assertThrows(ToolException.Failed.class, () -> run.stdout().readAllBytes());
    }
  }

  @Test
  void an_interrupt_ends_the_run_and_all_that_it_started() throws Exception {
    try (ToolRun run = Probe.shell("trap '' TERM; setsid sleep 1234 & echo up; sleep 1234").start()) {
      Throwable[] thrown = {null};
      long[] took = {0};
      Thread reader = new Thread(() -> {
        try {
          run.stdout().readAllBytes();
        } catch (Throwable e) {
          thrown[0] = e;
        }
        took[0] = System.nanoTime();
      });
      reader.start();
      Probe.until("the tool is up", () -> Probe.living("sleep") == 2);
      reader.interrupt();
      reader.join(5000);
      assertInstanceOf(ToolException.Cancelled.class, thrown[0]);
      Probe.until("the sleeps are gone", () -> Probe.living("sleep") == 0);
    }
  }

  @Test
  void closing_ends_the_run_and_all_that_it_started() throws Exception {
    ToolRun run = Probe.shell("trap '' TERM; (trap '' TERM HUP; setsid sleep 1234 &) ; sleep 1234").start();
    Probe.until("the tool is up", () -> Probe.living("sleep") == 2);
    run.close();
    Probe.until("the sleeps are gone", () -> Probe.living("sleep") == 0);
    assertThrows(ToolException.Cancelled.class, run::await);
    run.close();
  }

  @Test
  void destroying_the_process_ends_all_that_it_started() throws Exception {
    for (boolean forcibly : new boolean[] {true, false}) {
      Process process = Probe.shell("trap '' TERM; (setsid sleep 1234 &); sleep 1234").toProcess();
      Probe.until("the tool is up", () -> Probe.living("sleep") == 2);
      if (forcibly) process.destroyForcibly();
      else process.destroy();
      process.waitFor();
      Probe.until("the sleeps are gone", () -> Probe.living("sleep") == 0);
    }
  }

  @Test
  void an_input_that_fails_is_the_cause_and_no_end_of_input() {
    try (ToolRun run = Probe.shell("cat > /dev/null; echo all").start()) {
      run.feed(out -> {
        out.write(new byte[100_000]);
        throw new IOException("upstream broke");
      });
      ToolException.InputFailed failed =
          assertThrows(ToolException.InputFailed.class, () -> run.stdout().readAllBytes());
      assertEquals("upstream broke", failed.getCause().getMessage());
    }
  }

  @Test
  void what_is_beyond_a_limit_says_so() {
    ToolException failed = assertThrows(ToolException.class,
        () -> Probe.shell("head -c 100000 /dev/zero > /tmp/f").option("file-size=10000").run());
    assertTrue(failed.getMessage().contains("file-size"), failed.getMessage());
  }

  @Test
  void an_image_that_is_not_there_is_missing() throws Exception {
    assertThrows(ToolException.PayloadMissing.class, () -> Tool.fromClasspath("nobody").command().run());
    assertThrows(ToolException.PayloadMissing.class, () -> Tool.fromJar(Probe.JAR, "nobody").command().run());
    assertThrows(ToolException.PayloadMissing.class,
        () -> Tool.fromJar(Path.of("/no/such.jar"), "probe").command().run());
    assertThrows(ToolException.PayloadMissing.class, () -> Tool.fromFile(Path.of("/no/such")).command().run());
  }

  @Test
  void an_image_that_cannot_run_in_place_says_why() throws Exception {
    Path jars = Probe.JAR.getParent();
    ToolException compressed = assertThrows(ToolException.PayloadCompressed.class,
        () -> Tool.fromJar(jars.resolve("deflated.jar"), "probe").command().run());
    assertTrue(compressed.remedy().contains("rootlet jar add"), compressed.remedy());
    ToolException other = assertThrows(ToolException.ArchUnsupported.class,
        () -> Tool.fromJar(jars.resolve("other-machine.jar"), "probe").command().run());
    assertTrue(other.getMessage().contains("linux-riscv64"), other.getMessage());
    Path text = Files.createTempFile("no", ".jar");
    Files.writeString(text, "no jar");
    assertThrows(ToolException.PayloadCorrupt.class, () -> Tool.fromJar(text, "probe").command().run());
    assertThrows(ToolException.PayloadCorrupt.class, () -> Tool.fromFile(text).command().run());
    Files.delete(text);
  }

  @Test
  void errors_move_to_the_driver() throws Exception {
    ToolException failed = fails(ToolException.Failed.class, Probe.shell("echo bad >&2; exit 9"));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(failed);
    }
    try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      ToolException.Failed moved = (ToolException.Failed) in.readObject();
      assertEquals(List.of(9, "bad\n", "probe"), List.of(moved.exit(), moved.stderrTail(), moved.tool()));
    }
  }
}
