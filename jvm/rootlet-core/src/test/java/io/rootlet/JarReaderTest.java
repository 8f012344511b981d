// SPDX-License-Identifier: MIT
package io.rootlet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JarReaderTest {
  @TempDir Path directory;

  private static byte[] jar(int others, String comment) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      zip.setComment(comment);
      for (int i = 0; i < others; i++) zip.putNextEntry(new ZipEntry("other/" + i));
      put(zip, "stored", "content".getBytes());
      zip.putNextEntry(new ZipEntry("deflated"));
      zip.write("text ".repeat(1000).getBytes());
    }
    return bytes.toByteArray();
  }

  private static void put(ZipOutputStream zip, String name, byte[] content) throws IOException {
    ZipEntry entry = new ZipEntry(name);
    CRC32 sum = new CRC32();
    sum.update(content);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(content.length);
    entry.setCrc(sum.getValue());
    zip.putNextEntry(entry);
    zip.write(content);
  }

  private void look(byte[] bytes) throws IOException {
    Path file = Files.write(directory.resolve("a.jar"), bytes);
    try (FileChannel channel = FileChannel.open(file)) {
      JarReader reader = new JarReader(channel, 0, bytes.length);
      Map<String, JarReader.Entry> found = reader.find(name -> !name.startsWith("other/"));
      ByteBuffer content = ByteBuffer.allocate(7);
      JarReader.Entry stored = found.get("stored");
      if (stored == null) throw new JarReader.Malformed("no entry");
      channel.read(content, stored.dataOffset());
      assertEquals("content", new String(content.array()));
      assertEquals("text ".repeat(1000), reader.read(found.get("deflated")));
      assertEquals(2, found.size());
    }
  }

  @Test
  void entries_are_found_behind_prefixes_comments_and_many_others() throws IOException {
    byte[] prefix = new byte[5000];
    for (byte[] jar : new byte[][] {jar(0, ""), jar(3, "a comment PK\5\6"), jar(70_000, "")}) {
      look(jar);
      ByteArrayOutputStream behind = new ByteArrayOutputStream();
      behind.write(prefix);
      behind.write(jar);
      look(behind.toByteArray());
    }
  }

  @Test
  void a_jar_that_is_cut_short_is_malformed_wherever() throws IOException {
    byte[] jar = jar(2, "");
    for (int size = 0; size < jar.length; size++) {
      byte[] cut = java.util.Arrays.copyOf(jar, size);
      assertThrows(JarReader.Malformed.class, () -> look(cut), "cut at " + size);
    }
  }

  @Test
  void a_damaged_jar_is_malformed_or_right_and_nothing_else() throws IOException {
    byte[] jar = jar(2, "");
    Random random = new Random(7);
    for (int i = 0; i < 3000; i++) {
      byte[] bad = jar.clone();
      for (int n = random.nextInt(3); n >= 0; n--) {
        bad[random.nextInt(bad.length)] = (byte) (random.nextBoolean() ? 0xff : random.nextInt(256));
      }
      try {
        look(bad);
      } catch (IOException | AssertionError | NullPointerException e) {
        // Malformed; or a name or a content that was changed, which no reader of directories sees.
        if (e instanceof NullPointerException && !String.valueOf(e.getMessage()).contains("entry")) throw e;
      }
    }
  }

  @Test
  void json_of_launchers_and_descriptions_is_read() {
    Map<String, Object> json = Json.object(" {\"a\": \"\\u00e9\\n\\\"\", \"b\": [1, -2.5e3, true, null, {}], \"c\": 7}");
    assertEquals("é\n\"", Json.string(json, "a"));
    assertEquals(7, Json.number(json, "c", 0));
    assertEquals("[1, -2500.0, true, null, {}]", Json.strings(json, "b").toString());
    for (String bad : new String[] {"", "[]", "{", "{\"a\"}", "{\"a\":1,}", "{} x", "{\"a\":\"\\x\"}",
        "{\"a\":" + "[".repeat(99)}) {
      assertThrows(IllegalArgumentException.class, () -> Json.object(bad), bad);
    }
  }
}
