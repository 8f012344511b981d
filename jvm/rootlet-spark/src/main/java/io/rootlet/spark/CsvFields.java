// SPDX-License-Identifier: MIT
package io.rootlet.spark;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Fields between commas (RFC 4180). Nothing at all is null, quotes with nothing in them are an empty text. */
final class CsvFields implements TextRows.Fields {
  private static final long serialVersionUID = 1;

  @Override
  public String line(List<String> fields) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < fields.size(); i++) {
      if (i > 0) line.append(',');
      String field = fields.get(i);
      if (field == null) continue;
      boolean quoted = field.isEmpty() || !field.equals(field.strip()) || field.matches("(?s).*[,\"\r\n].*");
      line.append(quoted ? '"' + field.replace("\"", "\"\"") + '"' : field);
    }
    // A line with one null would be an empty line, which readers pass over.
    return line.toString();
  }

  @Override
  public List<String> read(InputStream in) throws IOException {
    int c = in.read();
    if (c < 0) return null;
    List<String> fields = new ArrayList<>();
    ByteArrayOutputStream field = new ByteArrayOutputStream();
    boolean quoted = false;
    for (; c >= 0 && c != '\n'; c = in.read()) {
      if (c == '"' && field.size() == 0 && !quoted) {
        quoted = true;
        c = readQuoted(in, field);
        if (c < 0 || c == '\n') break;
        if (c == ',') {
          fields.add(text(field, true));
          quoted = false;
          continue;
        }
        if (c == '\r') continue;
        throw new IOException("a field of the output goes on behind its quote");
      }
      if (c == ',') {
        fields.add(text(field, quoted));
        quoted = false;
      } else {
        field.write(c);
      }
    }
    if (!quoted) dropReturn(field);
    fields.add(text(field, quoted));
    return fields;
  }

  /** Up to the quote that ends the field; what follows it. */
  private static int readQuoted(InputStream in, ByteArrayOutputStream field) throws IOException {
    while (true) {
      int c = in.read();
      if (c < 0) throw new IOException("the output ends inside of quotes");
      if (c == '"') {
        c = in.read();
        if (c != '"') return c;
      }
      field.write(c);
    }
  }

  // Lines may end with \r\n.
  private static void dropReturn(ByteArrayOutputStream field) {
    byte[] bytes = field.toByteArray();
    if (bytes.length == 0 || bytes[bytes.length - 1] != '\r') return;
    field.reset();
    field.write(bytes, 0, bytes.length - 1);
  }

  private static String text(ByteArrayOutputStream field, boolean quoted) {
    String text = field.toString(StandardCharsets.UTF_8);
    field.reset();
    return text.isEmpty() && !quoted ? null : text;
  }
}
