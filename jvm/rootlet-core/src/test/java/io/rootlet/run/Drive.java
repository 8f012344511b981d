// SPDX-License-Identifier: MIT
package io.rootlet.run;

import io.rootlet.HostReport;
import io.rootlet.Rootlet;
import io.rootlet.ToolCommand;
import io.rootlet.ToolException;
import io.rootlet.ToolRun;
import io.rootlet.ToolSession;
import java.util.ArrayList;
import java.util.List;

/** A JVM to be looked at, and killed, from outside. */
final class Drive {
  private static final List<ToolRun> HELD = new ArrayList<>();

  private Drive() {}

  public static void main(String[] words) throws Exception {
    switch (words[0]) {
      case "rung":
        HostReport report = Rootlet.probe();
        String text = Probe.shell("cat /opt/foo/share/data.txt").run().text();
        System.out.print((Probe.JAR.toFile().canExecute() ? "jar" : report.stub()) + "\n" + text);
        break;
      case "hold":
        hold(Integer.parseInt(words[1]), null);
        break;
      case "hold-warm":
        hold(Integer.parseInt(words[1]), ToolSession.ofJvm());
        break;
      case "warm":
        Probe.shell("true").in(ToolSession.ofJvm()).run();
        waitForEnd();
        break;
      case "busy":
        busy();
        break;
      case "probe":
        probe();
        break;
      default:
        throw new IllegalArgumentException(words[0]);
    }
  }

  /** Tools that ignore what can be ignored, and leave their session. */
  private static void hold(int count, ToolSession session) throws Exception {
    ToolCommand command = Probe.shell("trap '' TERM HUP INT; (setsid sleep 1234 &); echo up; sleep 1234");
    for (int i = 0; i < count; i++) HELD.add((session == null ? command : command.in(session)).start());
    for (ToolRun run : HELD) run.stdout().readNBytes(3);
    waitForEnd();
  }

  private static void waitForEnd() throws Exception {
    System.out.println("up");
    System.in.read();
    System.exit(0);
  }

  private static void busy() {
    Probe.shell("true").run();
    for (int i = 0; i < 4; i++) {
      boolean warm = i % 2 == 0;
      new Thread(() -> {
        while (true) {
          ToolCommand command = Probe.shell("cat /opt/foo/share/big > /dev/null; (sleep 1234 &)");
          (warm ? command.in(ToolSession.ofJvm()) : command).run();
        }
      }).start();
    }
    System.out.println("up");
  }

  private static void probe() {
    HostReport report = Rootlet.probe();
    System.out.print(report);
    try {
      Probe.shell("true").run();
    } catch (ToolException.HostUnsupported e) {
      System.out.println("HostUnsupported " + e.reason() + " " + e.remedy());
    }
  }
}
