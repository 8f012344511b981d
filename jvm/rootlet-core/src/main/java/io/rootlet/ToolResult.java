// SPDX-License-Identifier: MIT
package io.rootlet;

import java.io.Serializable;
import java.time.Duration;
import java.util.List;

/**
 * The end of a run that went well: with a status that is accepted, and within its time.
 *
 * @param exit the tool's status
 * @param wall from the start to the end
 * @param cpu processor time of the whole run, of a private image server, too
 * @param maxRssBytes the most that one process of it had at a time
 * @param bytesIn written to its stdin by feed()
 * @param bytesOut read from its stdout
 * @param stderrTail the last that it wrote to stderr
 * @param limits those that it met without failing by them: "pids", "file-size"
 * @param isolated false where the caller asked for no isolation
 * @param notes what the user should know, such as what best-effort gave up
 */
public record ToolResult(int exit, Duration wall, Duration cpu, long maxRssBytes, long bytesIn, long bytesOut,
    String stderrTail, List<String> limits, boolean isolated, List<String> notes) implements Serializable {
  private static final long serialVersionUID = 1;
}
