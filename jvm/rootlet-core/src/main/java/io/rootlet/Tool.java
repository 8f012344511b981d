// SPDX-License-Identifier: MIT
package io.rootlet;

import java.io.Serializable;
import java.nio.file.Path;
import java.util.List;

/**
 * A packaged tool: an image in a jar, on the class path, or in a file. It is run where it lies; nothing is
 * unpacked, however large it is.
 *
 * <p>Serializable: what is moved to another JVM is where to look, and that JVM looks for itself.
 *
 * <pre>{@code
 * Tool hmmer = Tool.fromClasspath("hmmer");
 * ToolOutput out = hmmer.command("hmmsearch", "globins4.hmm", "seqs.fa").run();
 * }</pre>
 */
public final class Tool implements Serializable {
  private static final long serialVersionUID = 1;

  private enum Kind {
    CLASSPATH,
    JAR,
    FILE
  }

  private final Kind kind;
  private final String name;
  private final String file;
  private transient volatile Image image;

  private Tool(Kind kind, String name, String file) {
    this.kind = kind;
    this.name = name;
    this.file = file;
  }

  /** The image that `rootlet jar add` put under this name into a jar of the class path. */
  public static Tool fromClasspath(String name) {
    return new Tool(Kind.CLASSPATH, name, "");
  }

  /** The image of this name in a jar; "OUTER.jar!/INNER.jar" names one that is stored in another. */
  public static Tool fromJar(Path jar, String name) {
    return new Tool(Kind.JAR, name, jar.toString());
  }

  /** An AppImage with a whole root, or a squashfs. */
  public static Tool fromFile(Path file) {
    String name = file.getFileName().toString();
    return new Tool(Kind.FILE, name.replaceFirst("\\.(AppImage|sqfs|squashfs)$", ""), file.toString());
  }

  public String name() {
    return name;
  }

  /** The digest that the image's description has, as "sha256:..."; empty where there is none. */
  public String digest() {
    return image().digest();
  }

  /** Where the image lies on this machine, as FILE@OFFSET:LENGTH. Throws where it is not to be found. */
  public String location() {
    return image().location();
  }

  /** Throws unless the image is the one with this digest ("sha256:..."). */
  public Tool requireDigest(String digest) {
    if (digest.equals(digest())) return this;
    throw new ToolException.PayloadCorrupt(ToolException.Context.of(name, ""),
        "its digest is " + digest() + ", wanted " + digest, null);
  }

  /** A run of the image's own program with these arguments. */
  public ToolCommand command(String... arguments) {
    return new ToolCommand(this, List.of(arguments));
  }

  /** A run of the image's own program with these arguments. */
  public ToolCommand command(List<String> arguments) {
    return new ToolCommand(this, List.copyOf(arguments));
  }

  /** The image, looked for once, and again where its file has changed. */
  Image image() {
    Image found = image;
    if (found != null && found.isUnchanged()) return found;
    Image now = find();
    if (found != null && !found.digest().equals(now.digest())) {
      throw new ToolException.PayloadCorrupt(ToolException.Context.of(name, "start again with the new one"),
          now.file() + " was exchanged for one with another image", null);
    }
    image = now;
    return now;
  }

  private Image find() {
    ImageFinder finder = new ImageFinder(name);
    switch (kind) {
      case JAR:
        List<String> parts = List.of(file.split("!/"));
        return finder.inJar(Path.of(parts.get(0)), parts.subList(1, parts.size()));
      case FILE:
        return finder.inFile(Path.of(file));
      default:
        return findOnClassPath(finder);
    }
  }

  /** Threads of pools have any loader, or none: the one that sees the jar may be that of this class. */
  private static Image findOnClassPath(ImageFinder finder) {
    ClassLoader loader = Thread.currentThread().getContextClassLoader();
    if (loader == null) return finder.onClassPath(Tool.class.getClassLoader());
    try {
      return finder.onClassPath(loader);
    } catch (ToolException.PayloadMissing e) {
      if (loader == Tool.class.getClassLoader()) throw e;
      return finder.onClassPath(Tool.class.getClassLoader());
    }
  }

  @Override
  public String toString() {
    return kind == Kind.CLASSPATH ? name : name + " (" + file + ")";
  }
}
