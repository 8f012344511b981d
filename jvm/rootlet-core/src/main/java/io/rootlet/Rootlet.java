// SPDX-License-Identifier: MIT
package io.rootlet;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What concerns the host and the library, rather than one tool. */
public final class Rootlet {
  private static final Pattern LINE = Pattern.compile("(\\S.*?)\\s{1,}(ok|not tried|MISSING.*|missing.*)");

  private Rootlet() {}

  /** The version of this library and of the launcher in it. */
  public static String version() {
    return Stub.VERSION;
  }

  /** Tries whatever runs need, in some 100 ms. Never throws: what is wrong stands in the report. */
  public static HostReport probe() {
    String user = System.getProperty("user.name", "");
    if (!Machine.classifier().startsWith("linux-")) {
      return new HostReport(false, HostReport.Reason.NOT_LINUX, List.of(), "", user);
    }
    Stub stub;
    try {
      stub = Stub.ofJvm(null);
    } catch (ToolException.HostUnsupported e) {
      return new HostReport(false, e.reason(),
          List.of(new HostReport.Finding("launcher", "missing", true, e.getMessage(), e.remedy())), "", user);
    }
    return examine(stub, user);
  }

  private static HostReport examine(Stub stub, String user) {
    List<String> command = new ArrayList<>(stub.command());
    command.add("--rootlet-doctor");
    try {
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
      Launch.clean(builder.environment());
      Process process = builder.start();
      process.getOutputStream().close();
      String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int code = process.waitFor();
      List<HostReport.Finding> findings = findings(text);
      HostReport.Reason reason = code == 0 ? HostReport.Reason.NONE : reason(findings);
      return new HostReport(code == 0, reason, findings, stub.rung(), user);
    } catch (IOException e) {
      return new HostReport(false, HostReport.Reason.OTHER,
          List.of(new HostReport.Finding("launcher", "missing", true, e.toString(), "")), stub.rung(), user);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new HostReport(false, HostReport.Reason.OTHER,
          List.of(new HostReport.Finding("launcher", "unknown", true, "interrupted", "")), stub.rung(), user);
    }
  }

  static List<HostReport.Finding> findings(String text) {
    List<HostReport.Finding> findings = new ArrayList<>();
    for (String line : text.split("\n")) {
      String hint = "    hint: ";
      if (line.startsWith(hint) && !findings.isEmpty()) {
        HostReport.Finding last = findings.remove(findings.size() - 1);
        findings.add(new HostReport.Finding(last.name(), last.state(), last.needed(), last.why(),
            line.substring(hint.length())));
      }
      Matcher matcher = LINE.matcher(line);
      if (line.startsWith(" ") || !matcher.matches()) continue;
      String word = matcher.group(2);
      String state = word.equals("ok") ? "ok" : word.equals("not tried") ? "unknown" : "missing";
      String why = state.equals("missing") ? word.replaceFirst("(?i)^missing:?\\s*", "") : "";
      findings.add(new HostReport.Finding(matcher.group(1), state, word.startsWith("MISSING"), why, ""));
    }
    return findings;
  }

  private static HostReport.Reason reason(List<HostReport.Finding> findings) {
    for (HostReport.Finding finding : findings) {
      if (!finding.needed() || !finding.state().equals("missing")) continue;
      return HostReport.reasonOf(finding.name() + " " + finding.why() + " " + finding.hint());
    }
    return HostReport.Reason.OTHER;
  }
}
