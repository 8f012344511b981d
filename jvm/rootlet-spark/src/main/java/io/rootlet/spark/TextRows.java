// SPDX-License-Identifier: MIT
package io.rootlet.spark;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/** Rows as lines of fields. */
final class TextRows implements Framing<Row> {
  private static final long serialVersionUID = 1;

  /** How the fields of a line are told apart; null is a field of its own kind. */
  interface Fields extends Serializable {
    String line(List<String> fields);

    /** The fields of the next line; null at the end. */
    List<String> read(InputStream in) throws IOException;
  }

  private final Columns columns;
  private final Fields fields;
  private final boolean header;
  private transient boolean headerRead;
  private transient long count;

  TextRows(Columns columns, Fields fields, boolean header) {
    this.columns = columns;
    this.fields = fields;
    this.header = header;
  }

  @Override
  public void begin(OutputStream out) throws IOException {
    if (header) put(fields.line(columns.names()), out);
  }

  @Override
  public void write(Row row, OutputStream out) throws IOException {
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < columns.size(); i++) texts.add(columns.text(i, row.get(i)));
    put(fields.line(texts), out);
  }

  private static void put(String line, OutputStream out) throws IOException {
    out.write(line.getBytes(StandardCharsets.UTF_8));
    out.write('\n');
  }

  @Override
  public Row read(InputStream in) throws IOException {
    if (header && !headerRead) {
      headerRead = true;
      if (fields.read(in) == null) return null;
    }
    List<String> texts = fields.read(in);
    if (texts == null) return null;
    count++;
    if (texts.size() != columns.size()) {
      throw new IOException("row " + count + " of the output has " + texts.size() + " columns, wanted "
          + columns.size() + ": " + columns.names());
    }
    Object[] values = new Object[columns.size()];
    for (int i = 0; i < values.length; i++) values[i] = columns.value(i, texts.get(i), count);
    return RowFactory.create(values);
  }
}
