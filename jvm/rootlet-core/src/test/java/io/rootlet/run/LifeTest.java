// SPDX-License-Identifier: MIT
package io.rootlet.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rootlet.ToolCommand;
import io.rootlet.ToolException;
import io.rootlet.ToolOutput;
import io.rootlet.ToolRun;
import io.rootlet.ToolSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Threads, many runs, warm servers. */
@Tag("run")
@Timeout(120)
class LifeTest {
  @Test
  void a_run_lives_on_when_the_thread_ends_that_started_it() throws Exception {
    ToolRun[] run = {null};
    Thread starter = new Thread(() -> run[0] = Probe.shell("read line; echo $line").start());
    starter.start();
    starter.join();
    Thread.sleep(400);
    assertTrue(run[0].isAlive());
    run[0].feed(out -> out.write("still\n".getBytes()));
    assertEquals("still\n", new String(run[0].stdout().readAllBytes()));
    run[0].close();
  }

  @Test
  void many_short_runs_of_many_threads_leave_nothing() throws Exception {
    int count = Integer.getInteger("rootlet.test.runs", 200);
    run(8); // whatever is made once
    long before = descriptors();
    run(count);
    Probe.until("no launcher is left", () -> Probe.living("rootlet-stub") == 0);
    long after = descriptors();
    // The slots of eight runs at a time are kept.
    assertTrue(after <= before + 8, before + " descriptors before, " + after + " after");
  }

  private static void run(int count) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(8);
    List<Future<String>> answers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String word = "word" + i;
      Callable<String> one = () -> Probe.shell("cat").run(word.getBytes()).text();
      answers.add(pool.submit(one));
    }
    for (int i = 0; i < count; i++) assertEquals("word" + i, answers.get(i).get());
    pool.shutdown();
  }

  private static long descriptors() throws IOException {
    try (Stream<Path> entries = Files.list(Path.of("/proc/self/fd"))) {
      return entries.count();
    }
  }

  @Test
  void runs_of_a_session_share_a_server_that_ends_with_it() throws Exception {
    try (ToolSession session = ToolSession.open()) {
      ToolCommand command = Probe.shell("cat /opt/foo/share/data.txt; echo $XDG_RUNTIME_DIR").in(session);
      for (int i = 0; i < 3; i++) {
        ToolOutput out = command.run();
        assertEquals("data of the image", out.lines().get(0));
        assertEquals(1, Probe.living("rootlet-keeper"), "keepers");
      }
      Thread.sleep(1500);
      assertEquals(1, Probe.living("rootlet-keeper"), "keepers of an idle session");
      ToolRun run = Probe.shell("echo up; sleep 1234").in(session).start();
      run.stdout().readNBytes(3);
      session.close();
      assertThrows(ToolException.Cancelled.class, run::await);
      Probe.until("the server is gone", () -> Probe.living("rootlet-keeper") == 0);
    }
    assertThrows(IllegalStateException.class, () -> Probe.shell("true").in(closed()).run());
  }

  private static ToolSession closed() {
    ToolSession session = ToolSession.open();
    session.close();
    return session;
  }

  @Test
  void without_a_session_no_server_outlives_its_run() throws Exception {
    Probe.shell("true").run();
    assertEquals(0, Probe.living("rootlet-keeper") + Probe.living("rootlet-reader"));
  }
}
