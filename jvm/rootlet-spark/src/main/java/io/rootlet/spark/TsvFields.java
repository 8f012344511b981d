// SPDX-License-Identifier: MIT
package io.rootlet.spark;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

/** Fields between tabs, as PostgreSQL's COPY has them. */
final class TsvFields implements TextRows.Fields {
  private static final long serialVersionUID = 1;
  private static final String PLAIN = "\t\n\r\\";
  private static final String LETTERS = "tnr\\";

  @Override
  public String line(List<String> fields) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < fields.size(); i++) {
      if (i > 0) line.append('\t');
      String field = fields.get(i);
      if (field == null) line.append("\\N");
      else escape(field, line);
    }
    return line.toString();
  }

  private static void escape(String field, StringBuilder line) {
    for (int i = 0; i < field.length(); i++) {
      int special = PLAIN.indexOf(field.charAt(i));
      if (special < 0) line.append(field.charAt(i));
      else line.append('\\').append(LETTERS.charAt(special));
    }
  }

  @Override
  public List<String> read(InputStream in) throws IOException {
    String line = Framing.LINES.read(in);
    if (line == null) return null;
    List<String> fields = new ArrayList<>();
    for (String field : line.split("\t", -1)) fields.add(field.equals("\\N") ? null : unescaped(field));
    return fields;
  }

  private static String unescaped(String field) {
    if (field.indexOf('\\') < 0) return field;
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < field.length(); i++) {
      char c = field.charAt(i);
      int special = c == '\\' && i + 1 < field.length() ? LETTERS.indexOf(field.charAt(i + 1)) : -1;
      if (special >= 0) i++;
      text.append(special >= 0 ? PLAIN.charAt(special) : c);
    }
    return text.toString();
  }
}
