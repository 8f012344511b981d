// SPDX-License-Identifier: MIT
package io.rootlet.spark;

import java.io.Serializable;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;

/**
 * How rows become text. Whatever a column holds comes back as it was: nulls, empty texts, quotes,
 * separators, ends of lines.
 */
public final class RowFormat implements Serializable {
  private static final long serialVersionUID = 1;

  private enum Kind {
    TSV,
    CSV,
    JSON_LINES
  }

  private final Kind kind;
  private final boolean header;

  private RowFormat(Kind kind, boolean header) {
    this.kind = kind;
    this.header = header;
  }

  /** Columns between tabs; null is \N, and \t \n \r \\ stand for the characters (as PostgreSQL's COPY). */
  public static RowFormat tsv() {
    return new RowFormat(Kind.TSV, false);
  }

  /** RFC 4180: quoted where need be, quotes doubled; null is nothing, an empty text is "". */
  public static RowFormat csv() {
    return new RowFormat(Kind.CSV, false);
  }

  /** An object a line; columns by name, in any order; those that are missing are null. */
  public static RowFormat jsonLines() {
    return new RowFormat(Kind.JSON_LINES, false);
  }

  /** With a first line of names, of TSV and CSV: written to the tool, or passed over in its output. */
  public RowFormat withHeader() {
    if (kind == Kind.JSON_LINES) throw new IllegalArgumentException("JSON lines name their columns themselves");
    return new RowFormat(kind, true);
  }

  Framing<Row> framing(StructType schema) {
    Columns columns = new Columns(schema, kind == Kind.JSON_LINES);
    switch (kind) {
      case JSON_LINES:
        return new JsonRows(columns);
      case CSV:
        return new TextRows(columns, new CsvFields(), header);
      default:
        return new TextRows(columns, new TsvFields(), header);
    }
  }
}
