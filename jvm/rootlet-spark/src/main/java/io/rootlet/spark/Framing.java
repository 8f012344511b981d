// SPDX-License-Identifier: MIT
package io.rootlet.spark;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** How elements become bytes, and how one is told from the next. */
public interface Framing<T> extends Serializable {
  /** What comes in front of the first, as a line of names. */
  default void begin(OutputStream out) throws IOException {}

  void write(T element, OutputStream out) throws IOException;

  /** The next element; null at the end. An end inside of an element is an error. */
  T read(InputStream in) throws IOException;

  /** Lines of UTF-8, each ended by "\n"; a last one may lack it. "\r" is a part of the line. */
  Framing<String> LINES = new Framing<>() {
    private static final long serialVersionUID = 1;

    @Override
    public void write(String line, OutputStream out) throws IOException {
      out.write(line.getBytes(StandardCharsets.UTF_8));
      out.write('\n');
    }

    @Override
    public String read(InputStream in) throws IOException {
      byte[] line = until(in, '\n');
      return line == null ? null : new String(line, StandardCharsets.UTF_8);
    }
  };

  /** One behind the other. */
  Framing<byte[]> NONE = new Framing<>() {
    private static final long serialVersionUID = 1;

    @Override
    public void write(byte[] bytes, OutputStream out) throws IOException {
      out.write(bytes);
    }

    @Override
    public byte[] read(InputStream in) throws IOException {
      byte[] piece = new byte[64 << 10];
      int got = in.read(piece);
      return got < 0 ? null : Arrays.copyOf(piece, got);
    }
  };

  /** A length of four bytes, the highest first, and then the record. `longest`: what is more is an error. */
  static Framing<byte[]> lengthPrefixed(int longest) {
    return new Framing<>() {
      private static final long serialVersionUID = 1;

      @Override
      public void write(byte[] record, OutputStream out) throws IOException {
        out.write(ByteBuffer.allocate(4).putInt(record.length).array());
        out.write(record);
      }

      @Override
      public byte[] read(InputStream in) throws IOException {
        byte[] head = in.readNBytes(4);
        if (head.length == 0) return null;
        int length = head.length < 4 ? -1 : ByteBuffer.wrap(head).getInt();
        if (length < 0 || length > longest) throw new IOException("the output is no record: length " + length);
        byte[] record = in.readNBytes(length);
        if (record.length < length) throw new EOFException("the output ends inside of a record");
        return record;
      }
    };
  }

  /** Records that are ended by a byte which none contains, as 0. */
  static Framing<byte[]> delimited(int end) {
    return new Framing<>() {
      private static final long serialVersionUID = 1;

      @Override
      public void write(byte[] record, OutputStream out) throws IOException {
        for (byte b : record) {
          if (b == (byte) end) throw new IOException("a record contains the byte that ends records: " + end);
        }
        out.write(record);
        out.write(end);
      }

      @Override
      public byte[] read(InputStream in) throws IOException {
        return until(in, end);
      }
    };
  }

  /** Records of one length. */
  static Framing<byte[]> fixed(int length) {
    return new Framing<>() {
      private static final long serialVersionUID = 1;

      @Override
      public void write(byte[] record, OutputStream out) throws IOException {
        if (record.length != length) throw new IOException("a record of " + record.length + " bytes, not " + length);
        out.write(record);
      }

      @Override
      public byte[] read(InputStream in) throws IOException {
        byte[] record = in.readNBytes(length);
        if (record.length == 0) return null;
        if (record.length < length) throw new EOFException("the output ends inside of a record");
        return record;
      }
    };
  }

  /** The bytes before the next `end`, or before the end of all; null where nothing is left. */
  private static byte[] until(InputStream in, int end) throws IOException {
    int value = in.read();
    if (value < 0) return null;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (; value >= 0 && value != (end & 0xff); value = in.read()) bytes.write(value);
    return bytes.toByteArray();
  }
}
