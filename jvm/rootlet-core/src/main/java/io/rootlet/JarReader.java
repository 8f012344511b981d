// SPDX-License-Identifier: MIT
package io.rootlet;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Where entries of a zip archive lie: central directory, zip64, prefixes of any length, archives that
 * are themselves a part of a file. Reads the directory once, in pieces, whatever the archive's size;
 * every number is checked against the archive before it is used.
 */
final class JarReader {
  /** An entry: where its bytes lie in the file, and how they are packed. */
  record Entry(String name, int method, long size, long packedSize, long dataOffset) {
    boolean stored() {
      return method == 0;
    }
  }

  /** The archive is malformed. */
  static final class Malformed extends IOException {
    private static final long serialVersionUID = 1;

    Malformed(String message) {
      super(message);
    }
  }

  private static final int END = 0x06054b50;
  private static final int END64 = 0x06064b50;
  private static final int LOCATOR64 = 0x07064b50;
  private static final int CENTRAL = 0x02014b50;
  private static final int LOCAL = 0x04034b50;
  private static final long MOST_ENTRIES = 50_000_000;
  private static final int LONGEST_TEXT = 1 << 20;

  private final FileChannel file;
  private final long start;
  private final long length;

  private long directory;
  private long directorySize;
  private long entries;
  private long shift; // bytes in front of the archive that its offsets do not count

  /** The archive that fills `length` bytes of `file` from `start` on. The channel stays the caller's. */
  JarReader(FileChannel file, long start, long length) throws IOException {
    this.file = file;
    this.start = start;
    this.length = length;
    findDirectory();
  }

  /** The entries whose names are wanted. A wanted name that occurs twice is an error. */
  Map<String, Entry> find(Predicate<String> wanted) throws IOException {
    Map<String, Entry> found = new HashMap<>();
    Window window = new Window(directory, directory + directorySize);
    for (long i = 0; i < entries; i++) {
      ByteBuffer head = window.take(46);
      if (head.getInt(0) != CENTRAL) throw new Malformed("its directory is damaged");
      int nameLength = head.getShort(28) & 0xffff;
      int extraLength = head.getShort(30) & 0xffff;
      int commentLength = head.getShort(32) & 0xffff;
      String name = text(window.take(nameLength));
      ByteBuffer extra = window.take(extraLength);
      window.take(commentLength);
      if (!wanted.test(name)) continue;
      if (found.put(name, entry(name, head, extra)) != null) {
        throw new Malformed("it holds " + name + " twice");
      }
    }
    return found;
  }

  /** The text of a small entry, stored or deflated. */
  String read(Entry entry) throws IOException {
    if (entry.packedSize > LONGEST_TEXT) throw new Malformed(entry.name + " is too long");
    ByteBuffer packed = at(entry.dataOffset, (int) entry.packedSize);
    if (entry.stored()) return text(packed);
    if (entry.method != 8) throw new Malformed(entry.name + " is packed by an unknown method");
    return inflate(packed, entry.name);
  }

  private static String inflate(ByteBuffer packed, String name) throws IOException {
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(packed);
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      byte[] buffer = new byte[8192];
      while (!inflater.finished()) {
        int got = inflater.inflate(buffer);
        if (got == 0 || out.size() > LONGEST_TEXT) throw new Malformed(name + " cannot be unpacked");
        out.write(buffer, 0, got);
      }
      return out.toString(StandardCharsets.UTF_8);
    } catch (DataFormatException e) {
      throw new Malformed(name + " cannot be unpacked");
    } finally {
      inflater.end();
    }
  }

  private Entry entry(String name, ByteBuffer head, ByteBuffer extra) throws IOException {
    long packed = unsigned(head.getInt(20));
    long size = unsigned(head.getInt(24));
    long local = unsigned(head.getInt(42));
    ByteBuffer wide = zip64(extra);
    if (size == 0xffffffffL) size = wideNumber(wide, name);
    if (packed == 0xffffffffL) packed = wideNumber(wide, name);
    if (local == 0xffffffffL) local = wideNumber(wide, name);
    int method = head.getShort(10) & 0xffff;
    if ((head.getShort(8) & 1) != 0) throw new Malformed(name + " is encrypted");
    if (local < 0 || packed < 0 || size < 0 || local > directory - shift - 30) {
      throw new Malformed(name + " lies outside of it");
    }
    ByteBuffer header = at(start + shift + local, 30);
    if (header.getInt(0) != LOCAL) throw new Malformed("no entry where " + name + " should begin");
    int nameLength = header.getShort(26) & 0xffff;
    long data = shift + local + 30 + nameLength + (header.getShort(28) & 0xffff);
    if (data > directory || packed > directory - data) throw new Malformed(name + " lies outside of it");
    if (!name.equals(text(at(start + shift + local + 30, nameLength)))) {
      throw new Malformed("another entry where " + name + " should begin");
    }
    if (method == 0 && packed != size) throw new Malformed(name + " has two sizes");
    return new Entry(name, method, size, packed, start + data);
  }

  /** The zip64 field of an extra part, or nothing. */
  private static ByteBuffer zip64(ByteBuffer extra) {
    for (int at = 0; at + 4 <= extra.limit(); ) {
      int id = extra.getShort(at) & 0xffff;
      int size = extra.getShort(at + 2) & 0xffff;
      if (at + 4 + size > extra.limit()) return null;
      if (id == 1) return extra.slice(at + 4, size).order(ByteOrder.LITTLE_ENDIAN);
      at += 4 + size;
    }
    return null;
  }

  private static long wideNumber(ByteBuffer field, String name) throws Malformed {
    if (field == null || field.remaining() < 8) throw new Malformed(name + " lacks its size or place");
    return field.getLong();
  }

  private void findDirectory() throws IOException {
    long end = findEnd();
    ByteBuffer record = at(start + end, 22);
    entries = record.getShort(10) & 0xffff;
    directorySize = unsigned(record.getInt(12));
    long told = unsigned(record.getInt(16));
    long after = end;
    if (entries == 0xffff || directorySize == 0xffffffffL || told == 0xffffffffL) {
      long place = findEnd64(end);
      if (place >= 0) {
        ByteBuffer wide = at(start + place, 56);
        entries = wide.getLong(32);
        directorySize = wide.getLong(40);
        told = wide.getLong(48);
        after = place;
      }
    }
    directory = after - directorySize;
    if (directorySize < 0 || told < 0 || directory < told || entries < 0 || entries > MOST_ENTRIES
        || directorySize < entries * 46) {
      throw new Malformed("its directory is not where it should be");
    }
    shift = directory - told;
  }

  /** The last end record whose comment ends with the archive. */
  private long findEnd() throws IOException {
    int tail = (int) Math.min(length, 22 + 0xffff);
    if (tail < 22) throw new Malformed("no zip archive");
    ByteBuffer bytes = at(start + length - tail, tail);
    for (int at = tail - 22; at >= 0; at--) {
      if (bytes.getInt(at) != END) continue;
      int comment = bytes.getShort(at + 20) & 0xffff;
      if (at + 22 + comment == tail) return length - tail + at;
    }
    throw new Malformed("no zip archive");
  }

  /** The zip64 end record: where the locator says, or right in front of it, behind a prefix. */
  private long findEnd64(long end) throws IOException {
    if (end < 20 + 56) return -1;
    ByteBuffer locator = at(start + end - 20, 20);
    if (locator.getInt(0) != LOCATOR64) return -1;
    long told = locator.getLong(8);
    for (long place : new long[] {told, end - 20 - 56}) {
      if (place >= 0 && place <= end - 20 - 56 && at(start + place, 4).getInt(0) == END64) return place;
    }
    throw new Malformed("its zip64 record is missing");
  }

  private ByteBuffer at(long offset, int size) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (file.read(buffer, offset + buffer.position()) < 0) throw new Malformed("it ends too early");
    }
    return buffer.flip();
  }

  private static String text(ByteBuffer bytes) {
    return StandardCharsets.UTF_8.decode(bytes.duplicate()).toString();
  }

  private static long unsigned(int value) {
    return Integer.toUnsignedLong(value);
  }

  /** The directory, front to back, in pieces. */
  private final class Window {
    private static final int PIECE = 256 << 10;
    private long next;
    private final long end;
    private ByteBuffer piece = ByteBuffer.allocate(0);

    Window(long from, long end) {
      this.next = from;
      this.end = end;
    }

    ByteBuffer take(int size) throws IOException {
      if (piece.remaining() < size) {
        next -= piece.remaining();
        if (size > end - next) throw new Malformed("its directory is cut short");
        piece = at(start + next, (int) Math.min(Math.max(PIECE, size), end - next));
        next += piece.remaining();
      }
      ByteBuffer part = piece.slice(piece.position(), size).order(ByteOrder.LITTLE_ENDIAN);
      piece.position(piece.position() + size);
      return part;
    }
  }
}
