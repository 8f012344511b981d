// SPDX-License-Identifier: MIT
package io.rootlet;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/**
 * The program as a file: "stub-SHA256" in a directory that belongs to this user alone. What is there is
 * used only if owner, mode and content are right. It stays for the next JVM.
 */
final class StubCache {
  private StubCache() {}

  static List<String> make(byte[] program) throws IOException {
    List<String> reasons = new ArrayList<>();
    for (Path around : candidates()) {
      try {
        Path file = place(around, program);
        if (!Files.isExecutable(file)) throw new IOException("mounted noexec");
        return List.of(file.toString());
      } catch (IOException | UnsupportedOperationException e) {
        reasons.add(around + ": " + e);
      }
    }
    throw new IOException("no directory will do: " + reasons);
  }

  private static List<Path> candidates() {
    List<Path> places = new ArrayList<>();
    add(places, System.getProperty("rootlet.cache"), "");
    add(places, System.getenv("XDG_RUNTIME_DIR"), "");
    add(places, System.getenv("XDG_CACHE_HOME"), "");
    add(places, System.getenv("HOME"), ".cache");
    add(places, "/dev/shm", "");
    add(places, System.getProperty("java.io.tmpdir"), "");
    add(places, System.getProperty("user.dir"), "");
    return places;
  }

  private static void add(List<Path> places, String directory, String below) {
    if (directory != null && directory.startsWith("/")) places.add(Path.of(directory, below));
  }

  static int ownId() throws IOException {
    return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
  }

  private static Path place(Path around, byte[] program) throws IOException {
    if (!Files.isDirectory(around)) throw new IOException("no such directory");
    Path directory = around.resolve("rootlet-" + ownId());
    try {
      Files.createDirectory(directory, PosixFilePermissions.asFileAttribute(
          PosixFilePermissions.fromString("rwx------")));
    } catch (FileAlreadyExistsException e) {
      // Whose it is, is looked at next.
    }
    requireOwn(directory, true);
    Path file = directory.resolve("stub-" + digest(program));
    if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !isRight(file, program)) Files.delete(file);
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) write(file, program);
    return file;
  }

  private static boolean isRight(Path file, byte[] program) throws IOException {
    try {
      requireOwn(file, false);
    } catch (IOException e) {
      return false;
    }
    return Files.size(file) == program.length && Arrays.equals(Files.readAllBytes(file), program);
  }

  /** Nobody else may write to it, nor put another in its place. */
  private static void requireOwn(Path path, boolean directory) throws IOException {
    PosixFileAttributes status =
        Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    int owner = (Integer) Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS);
    Set<PosixFilePermission> others = status.permissions();
    boolean open = others.contains(PosixFilePermission.GROUP_WRITE)
        || others.contains(PosixFilePermission.OTHERS_WRITE);
    boolean kind = directory ? status.isDirectory() : status.isRegularFile();
    if (!kind || owner != ownId() || open) throw new IOException(path + " is not this user's alone");
  }

  private static void write(Path file, byte[] program) throws IOException {
    Path unfinished = Files.createTempFile(file.getParent(), ".stub", "");
    try {
      try (FileChannel out = FileChannel.open(unfinished, StandardOpenOption.WRITE)) {
        ByteBuffer bytes = ByteBuffer.wrap(program);
        while (bytes.hasRemaining()) out.write(bytes);
        out.force(true);
      }
      Files.setPosixFilePermissions(unfinished, PosixFilePermissions.fromString("r-x------"));
      Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(unfinished);
    }
  }

  private static String digest(byte[] program) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(program));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JVM has it
    }
  }
}
