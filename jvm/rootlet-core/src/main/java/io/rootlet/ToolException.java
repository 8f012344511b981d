// SPDX-License-Identifier: MIT
package io.rootlet;

import java.util.List;

/**
 * What went wrong with a tool, by kind. All kinds are serializable: Spark moves them to the driver.
 *
 * <p>A run's end is told by the launcher's status report, never guessed from an exit code: a tool that
 * exits with 125 is a {@link Failed}, a launcher that fails is one of the others.
 */
public abstract sealed class ToolException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** What all kinds carry. `tool` names the image, `argv` is the tool's; `remedy` is what to do, or "". */
  public record Context(String tool, List<String> argv, String stderrTail, String remedy)
      implements java.io.Serializable {
    static Context of(String tool, String remedy) {
      return new Context(tool, List.of(), "", remedy);
    }
  }

  private final Context context;

  private ToolException(Context context, String message, Throwable cause) {
    super(text(context, message), cause);
    this.context = context;
  }

  private static String text(Context context, String message) {
    StringBuilder text = new StringBuilder(context.tool()).append(": ").append(message);
    if (!context.argv().isEmpty()) text.append("\n  argv: ").append(context.argv());
    if (!context.remedy().isEmpty()) text.append("\n  hint: ").append(context.remedy());
    if (!context.stderrTail().isBlank()) {
      text.append("\n  stderr ends: ").append(context.stderrTail().strip().indent(4).strip());
    }
    return text.toString();
  }

  /** The name of the image. */
  public String tool() {
    return context.tool();
  }

  /** The tool's arguments; empty where it was not about to run. */
  public List<String> argv() {
    return context.argv();
  }

  /** The last that it wrote to stderr. */
  public String stderrTail() {
    return context.stderrTail();
  }

  /** What to do about it; may be empty. */
  public String remedy() {
    return context.remedy();
  }

  // Before a run: the image.

  /** No image of that name on the class path, in the jar, or no such file. */
  public static final class PayloadMissing extends ToolException {
    PayloadMissing(Context context, String message) {
      super(context, message, null);
    }
  }

  /** A packager compressed the image; it cannot be run in place. */
  public static final class PayloadCompressed extends ToolException {
    PayloadCompressed(Context context, String message) {
      super(context, message, null);
    }
  }

  /** The image is not in a file of this machine. */
  public static final class PayloadNotLocal extends ToolException {
    PayloadNotLocal(Context context, String message) {
      super(context, message, null);
    }
  }

  /** Several different images of that name are on the class path. */
  public static final class PayloadAmbiguous extends ToolException {
    PayloadAmbiguous(Context context, String message) {
      super(context, message, null);
    }
  }

  /** The jar or the image is damaged, or was exchanged. */
  public static final class PayloadCorrupt extends ToolException {
    PayloadCorrupt(Context context, String message, Throwable cause) {
      super(context, message, cause);
    }
  }

  /** The image is there, for another kind of machine. */
  public static final class ArchUnsupported extends ToolException {
    ArchUnsupported(Context context, String message) {
      super(context, message, null);
    }
  }

  // Before a run: the host, the request.

  /** The host does not allow what a run needs. */
  public static final class HostUnsupported extends ToolException {
    private final HostReport.Reason reason;

    HostUnsupported(Context context, HostReport.Reason reason, String message, Throwable cause) {
      super(context, reason + ": " + message, cause);
      this.reason = reason;
    }

    public HostReport.Reason reason() {
      return reason;
    }
  }

  /** The image could not be mounted, or its server failed. */
  public static final class MountFailed extends ToolException {
    MountFailed(Context context, String message) {
      super(context, message, null);
    }
  }

  /** The launcher refused the options, or failed in another way. */
  public static final class LauncherFailed extends ToolException {
    LauncherFailed(Context context, String message, Throwable cause) {
      super(context, message, cause);
    }
  }

  /** The program is not in the image (127), or cannot be executed (126). */
  public static final class NotFound extends ToolException {
    private final int code;

    NotFound(Context context, int code, String message) {
      super(context, message, null);
      this.code = code;
    }

    public int code() {
      return code;
    }
  }

  // The run itself.

  /** The tool itself failed: {@link Failed} or {@link Signalled}. */
  public abstract static sealed class Ended extends ToolException {
    private final List<String> limits;

    private Ended(Context context, String how, List<String> limits) {
      super(context, how + met(limits), null);
      this.limits = List.copyOf(limits);
    }

    private static String met(List<String> limits) {
      return limits.isEmpty() ? "" : "; it met its limit of " + String.join(", ", limits);
    }

    /** The limits that it met, of memory, pids, file-size: "memory" tells an out-of-memory kill from others. */
    public List<String> limits() {
      return limits;
    }
  }

  /** The tool ended with a status that was not accepted. */
  public static final class Failed extends Ended {
    private final int exit;

    Failed(Context context, int exit, List<String> limits) {
      super(context, "the tool ended with " + exit, limits);
      this.exit = exit;
    }

    public int exit() {
      return exit;
    }
  }

  /** The tool died of a signal. */
  public static final class Signalled extends Ended {
    private final int signal;

    Signalled(Context context, int signal, String name, List<String> limits) {
      super(context, "the tool died of " + name, limits);
      this.signal = signal;
    }

    public int signal() {
      return signal;
    }
  }

  /** The tool made a system call that its filter punishes with death. */
  public static final class PolicyViolation extends ToolException {
    PolicyViolation(Context context) {
      super(context, "the system-call filter ended the tool (SIGSYS)", null);
    }
  }

  /** The time-out passed; all of the run was ended, and its output does not count. */
  public static final class TimedOut extends ToolException {
    TimedOut(Context context, String message) {
      super(context, message, null);
    }
  }

  /** The thread that waited was interrupted, or the run was closed before its end. */
  public static final class Cancelled extends ToolException {
    Cancelled(Context context, String message) {
      super(context, message, null);
    }
  }

  /** What was to be written to the tool could not be had: the cause. */
  public static final class InputFailed extends ToolException {
    InputFailed(Context context, Throwable cause) {
      super(context, "the input of the tool failed: " + cause, cause);
    }
  }
}
