// SPDX-License-Identifier: MIT
package io.rootlet;

import java.io.Serializable;
import java.util.List;
import java.util.Locale;

/**
 * What this host allows: whether runs work here, and if not, why. Serializable, so that a Spark job can
 * bring it home from each executor.
 *
 * @param works whether runs with the defaults work
 * @param reason the first thing that is missing, NONE where runs work
 * @param findings each mechanism that was tried
 * @param stub how the launcher comes to life here: jar, memfd, holder, cache; "" where it does not
 * @param user the name of the user that this JVM runs as
 */
public record HostReport(boolean works, Reason reason, List<Finding> findings, String stub, String user)
    implements Serializable {
  private static final long serialVersionUID = 1;

  /** Why a host does not allow runs. */
  public enum Reason {
    NONE,
    /** Only Linux has what it takes. */
    NOT_LINUX,
    /** User namespaces are turned off, reserved to root, or used up. */
    USERNS_OFF,
    /** The system-call filter of a surrounding container refuses them. */
    SECCOMP,
    /** AppArmor refuses them. */
    APPARMOR,
    /** No /dev/fuse that can be opened, and no other way to reach the image. */
    FUSE_MISSING,
    /** No place from which the launcher can be executed. */
    NOEXEC,
    /** No /proc, or one that may not be mounted anew. */
    PROC,
    /** Something else; the message tells. */
    OTHER
  }

  /** One mechanism: state is "ok", "missing" or "unknown". `needed`: runs with the defaults need it. */
  public record Finding(String name, String state, boolean needed, String why, String hint)
      implements Serializable {
    private static final long serialVersionUID = 1;
  }

  /** A few lines for people. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(works ? "runs work here" : "runs do not work here: " + reason);
    text.append(" (launcher: ").append(stub.isEmpty() ? "none" : stub).append(", user ").append(user).append(")\n");
    for (Finding finding : findings) {
      if (finding.state().equals("ok")) continue;
      text.append("  ").append(finding.name()).append(": ").append(finding.state());
      if (!finding.why().isEmpty()) text.append(": ").append(finding.why());
      if (!finding.hint().isEmpty()) text.append("\n    hint: ").append(finding.hint());
      text.append('\n');
    }
    return text.toString();
  }

  /** The reason in the words of a message and its hint. */
  static Reason reasonOf(String text) {
    String words = text.toLowerCase(Locale.ROOT);
    if (words.contains("apparmor")) return Reason.APPARMOR;
    if (words.contains("filter of the surrounding container")) return Reason.SECCOMP;
    if (words.contains("namespace")) return Reason.USERNS_OFF;
    if (words.contains("fuse")) return Reason.FUSE_MISSING;
    if (words.contains("proc")) return Reason.PROC;
    return Reason.OTHER;
  }
}
