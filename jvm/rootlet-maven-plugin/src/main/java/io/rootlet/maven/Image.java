// SPDX-License-Identifier: MIT
package io.rootlet.maven;

import java.io.File;

/** One image to attach, as the POM writes it. */
public final class Image {
  /** An AppImage or a squashfs. */
  private File file;

  /** What it is called in the jar. Without: the file's name up to its first dot. */
  private String name;

  File file() {
    return file;
  }

  /** The word that `rootlet jar add` takes: NAME=FILE. */
  String word() {
    String base = file.getName();
    int dot = base.indexOf('.');
    String own = dot > 0 ? base.substring(0, dot) : base;
    return (name == null ? own : name) + "=" + file.getAbsolutePath();
  }
}
