// SPDX-License-Identifier: MIT
package io.rootlet;

import java.util.List;
import java.util.Map;

/** What the launcher's report says about the end of a run, as an exception or as nothing. */
final class Ending {
  private static final int SIGSYS = 31;
  private final ToolCommand command;
  private final String stderrTail;
  private Map<String, Object> started = Map.of();
  private Map<String, Object> exit;
  private Map<String, Object> error;

  Ending(ToolCommand command, String stderrTail, List<Map<String, Object>> events) {
    this.command = command;
    this.stderrTail = stderrTail;
    for (Map<String, Object> event : events) {
      switch (Json.string(event, "event")) {
        case "started":
          started = event;
          break;
        case "exit":
          exit = event;
          break;
        case "error":
          error = event;
          break;
        default: // Later versions may tell more.
      }
    }
  }

  boolean isKnown() {
    return exit != null || error != null;
  }

  private ToolException.Context context(String remedy) {
    return new ToolException.Context(command.tool().name(), command.arguments(), stderrTail, remedy);
  }

  /** Nothing where the run went well. `status` is the launcher's own, for the message alone. */
  ToolException failure(int status) {
    if (error != null) return launcherFailed();
    if (exit == null) {
      return new ToolException.LauncherFailed(context("was it killed? dmesg tells of a lack of memory"),
          "the launcher ended without a report (status " + status + ")", null);
    }
    List<String> limits = limits();
    if (limits.contains("timeout")) return timedOut();
    if (exit.get("signal") instanceof Number signal) {
      if (signal.intValue() == SIGSYS) return new ToolException.PolicyViolation(context(""));
      return new ToolException.Signalled(context(""), signal.intValue(), Json.string(exit, "signal_name"), limits);
    }
    int code = code();
    return command.accepts(code) ? null : new ToolException.Failed(context(""), code, limits);
  }

  ToolException.TimedOut timedOut() {
    return new ToolException.TimedOut(context("give it more time: timeout()"),
        "it was ended after " + command.timeout());
  }

  ToolException.Cancelled cancelled(String why) {
    return new ToolException.Cancelled(context(""), why);
  }

  ToolException.InputFailed inputFailed(Throwable cause) {
    return new ToolException.InputFailed(context(""), cause);
  }

  private ToolException launcherFailed() {
    int code = (int) Json.number(error, "code", 125);
    String action = Json.string(error, "action");
    String subject = Json.string(error, "subject");
    String name = Json.string(error, "errno_name");
    String message = action + (subject.isEmpty() ? "" : ": " + subject) + ": " + Json.string(error, "reason")
        + (name.isEmpty() ? "" : " (" + name + ")");
    String hint = Json.string(error, "hint");
    if (code == 126 || code == 127) return new ToolException.NotFound(context(hint), code, message);
    switch (kindOf(action)) {
      case "host":
        return new ToolException.HostUnsupported(context(hint), HostReport.reasonOf(message + " " + hint), message,
            null);
      case "image":
        return new ToolException.PayloadCorrupt(context(hint), message, null);
      case "mount":
        return new ToolException.MountFailed(context(hint), message);
      default:
        return new ToolException.LauncherFailed(context(hint), message, null);
    }
  }

  /** The launcher's actions, as its messages begin. */
  private static String kindOf(String action) {
    switch (action) {
      case "create a user namespace":
      case "create the namespaces":
      case "create a network namespace":
      case "map the user's ids":
      case "mount proc":
      case "mount sysfs":
      case "mount tmpfs":
      case "install the system-call filter":
        return "host";
      case "find the image":
      case "find the image in the archive":
      case "open the image":
      case "read the policy":
        return "image";
      case "mount the image":
      case "reach the image":
      case "serve the image":
      case "start the image server":
      case "start the shared image server":
      case "unpack the image":
        return "mount";
      default:
        return "";
    }
  }

  int code() {
    return (int) Json.number(exit, "code", -1);
  }

  List<String> limits() {
    return Json.strings(exit, "limits");
  }

  long cpuMilliseconds() {
    return Json.number(exit, "cpu_ms", 0);
  }

  long maxRssBytes() {
    return Json.number(exit, "max_rss_kib", 0) * 1024;
  }

  boolean isolated() {
    return !Boolean.FALSE.equals(started.get("isolated"));
  }

  List<String> notes() {
    return Json.strings(started, "notes");
  }
}
